package rundir

import "golang.org/x/sys/unix"

// cpuModel returns the processor's model name.
func cpuModel() string {
	model, err := unix.Sysctl("machdep.cpu.brand_string")
	if err != nil {
		return ""
	}
	return model
}
