//go:build !linux

package sysmem

// HugePages does nothing where there is no such advice.
func HugePages([]float32) {}
