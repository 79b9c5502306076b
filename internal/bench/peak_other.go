//go:build !amd64

package bench

func fmaLoop(string) (loop func(iterations int), flop int) { return nil, 0 }
