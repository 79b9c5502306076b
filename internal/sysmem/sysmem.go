// Package sysmem asks the system about memory.
package sysmem

import (
	"bytes"
	"os"
	"strconv"
)

// Total is the machine's memory in bytes as Linux tells it, 0 elsewhere.
func Total() float64 { return procKiB("/proc/meminfo", "MemTotal:") }

// Peak is the most memory that this process has had in use, in bytes as Linux tells
// it, 0 elsewhere.
func Peak() float64 { return procKiB("/proc/self/status", "VmHWM:") }

// procKiB reads a line such as "VmHWM:   123 kB", in bytes; 0 if there is none.
func procKiB(file, name string) float64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) < 2 || string(f[0]) != name {
			continue
		}
		kib, err := strconv.ParseFloat(string(f[1]), 64)
		if err != nil {
			return 0
		}
		return kib * 1024
	}
	return 0
}
