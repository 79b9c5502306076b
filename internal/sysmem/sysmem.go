// Package sysmem asks the system what this process may take of memory and processors, and what it has.
package sysmem

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// Limit is an amount of memory and what sets it.
type Limit struct {
	Bytes float64
	By    string // in words, as in "this machine"
}

// Available is the most memory that this process may still take as Linux tells it: what the
// machine has left, swap included, or less where a control group (of a container, of Slurm) or
// a limit on the address space (ulimit -v) allows less. Zero elsewhere: not known.
func Available() Limit { return system("/").common().least(space()) }

// space is what the limit on the address space leaves, which is each process's own.
func space() (l Limit) {
	if most := addressSpace(); most > 0 {
		l = Limit{max(1, most-procKiB("/proc/self/status", "VmSize:")), "the limit on address space (ulimit -v)"}
	}
	return l
}

// common is what is left for this process and others.
func (s system) common() Limit { return s.machine().least(s.controlGroup()) }

// confined is what is set for one of so many processes, and not by what the machine has, where each may have so much address space.
func (s system) confined(space Limit, processes int) Limit {
	return s.controlGroup().among(processes).least(space)
}

// Short reports whether so many bytes are more than there is for this process, and what there is. Go's garbage
// counts as memory that there is.
func Short(bytes float64) (Limit, bool) {
	short := func(l Limit) bool { return l.Bytes > 0 && bytes > l.Bytes }
	l := left()
	if short(l) {
		debug.FreeOSMemory()
		l = left()
	}
	return l, short(l)
}

// Heed makes Go collect its garbage early enough to stay below what is set for this process, where
// something is, and the user has not said otherwise by GOMEMLIMIT. To be called at its start, and when it is known that others
// share it.
func Heed() {
	const share = 0.9 // the rest is for what isn't Go's heap
	if l := system("/").confined(space(), beside); l.Bytes > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(share * l.Bytes))
	}
}

// Peak is the most memory that this process has had in use, in bytes as Linux tells
// it, 0 elsewhere.
func Peak() float64 { return procKiB("/proc/self/status", "VmHWM:") }

// Amount is a number of bytes for people.
func Amount(bytes float64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%.0f MiB", bytes/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", bytes/(1<<30))
}

// least is the smaller of two; nothing is known of an amount of 0.
func (l Limit) least(other Limit) Limit {
	if l.Bytes == 0 || other.Bytes > 0 && other.Bytes < l.Bytes {
		return other
	}
	return l
}

// system is the root of a file system with /proc and /sys: the machine's, or a test's.
type system string

func (s system) path(parts ...string) string {
	return filepath.Join(append([]string{string(s)}, parts...)...)
}

// machine is what the machine has left.
func (s system) machine() Limit {
	meminfo := s.path("proc/meminfo")
	left := procKiB(meminfo, "MemAvailable:")
	if left == 0 {
		left = procKiB(meminfo, "MemTotal:")
	}
	return Limit{left + procKiB(meminfo, "SwapFree:"), "this machine"}
}

// controlGroup is the least limit of the process's group and those that it lies in. What is taken
// in a group, by this process and others, is left out of what its files allow; what is cached there makes way.
func (s system) controlGroup() (l Limit) {
	s.eachGroup("memory", func(v2 bool, dir string) {
		files, taken := []string{"memory.limit_in_bytes"}, "total_rss"
		if v2 {
			files, taken = []string{"memory.max", "memory.high"}, "anon"
		}
		for _, name := range files {
			if most := number(filepath.Join(dir, name)); most > 0 {
				l = l.least(Limit{max(1, most-statistic(filepath.Join(dir, "memory.stat"), taken)), "the limit of its control group (container, Slurm, systemd)"})
			}
		}
	})
	return l
}

// eachGroup calls f for the folder of the process's control group, and those of the groups that it
// lies in, of the second version and of a controller of the first. Inside a container the
// group's path may be one of outside, which isn't there: then the root is the container's.
func (s system) eachGroup(controller string, f func(v2 bool, dir string)) {
	text, err := os.ReadFile(s.path("proc/self/cgroup"))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) { // number:controllers:path
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		v2, root := part[0] == "0" && part[1] == "", "sys/fs/cgroup"
		if !v2 && !slices.Contains(strings.Split(part[1], ","), controller) {
			continue
		}
		if !v2 {
			root = filepath.Join(root, controller)
		}
		for group := filepath.Join("/", part[2]); ; group = filepath.Dir(group) {
			f(v2, s.path(root, group))
			if group == "/" {
				break
			}
		}
	}
}

// unlimited is what version 1 says where there is no limit, about.
const unlimited = math.MaxInt64 / 2

// number reads a file of one; 0 where there is none, or "max".
func number(path string) float64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	if err != nil || n >= unlimited {
		return 0
	}
	return n
}

// statistic reads a line such as "anon 4096" of a file; 0 if there is none.
func statistic(path, name string) float64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			n, _ := strconv.ParseFloat(f[1], 64) // 0 is as good an answer
			return n
		}
	}
	return 0
}

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
