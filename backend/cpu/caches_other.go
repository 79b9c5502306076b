//go:build !linux

package cpu

func lastCache() int { return usualCache }
