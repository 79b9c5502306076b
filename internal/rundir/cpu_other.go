//go:build !linux && !darwin && !windows

package rundir

// cpuModel knows no way to ask this system.
func cpuModel() string { return "" }
