//go:build !linux

package cpu

// hugePages does nothing where there is no such advice.
func hugePages([]float32) {}
