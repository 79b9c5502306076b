package sysmem

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Processors is how many threads this process should compute with, and what says so, in words: all
// of the machine's cores, or fewer where an affinity mask (taskset, cpuset) or a control group's share
// processor time (docker --cpus, Slurm, Kubernetes) allows fewer, or the variable GOMAXPROCS asks
// for another number. Processes that share them, see Beside and Among, get equal shares.
func Processors() (n int, by string) {
	return system("/").processors(runtime.GOMAXPROCS(0), runtime.NumCPU(), os.Getenv("GOMAXPROCS"), beside, own)
}

// processors are those that Go uses, of the process's own, in view of the environment variable and of so many
// such processes, of whose cores this one has a part (0: not known). Go heeds control groups, too, but never falls
// below two threads, which then wait for each other.
func (s system) processors(used, own int, variable string, beside int, part float64) (n int, by string) {
	if asked, err := strconv.Atoi(variable); err == nil && asked == used {
		return used, "GOMAXPROCS"
	}
	bound := false
	if share := s.share(); share > 0 && int(math.Ceil(share)) <= min(used, own) {
		n, by, bound = int(math.Ceil(share)), "its control group (container, Slurm, systemd)", true
	} else if used < own {
		n, by, bound = used, "Go", true
	} else if own < s.online() {
		n, by = own, "its affinity mask (taskset, cpuset)"
	} else {
		n, by = used, "the machine's cores"
	}
	share := float64(n) / float64(beside)
	if part > 0 && !bound {
		const rounding = 1e-6 // of a sum of thirds
		share = part + rounding
	}
	if share < float64(n) {
		n, by = max(1, int(share)), fmt.Sprintf("%s, among %d ranks", by, beside)
	}
	return n, by
}

// share is the least share of processor time, in processors, that control groups allow; 0: all.
func (s system) share() (least float64) {
	s.eachGroup("cpu", func(v2 bool, dir string) {
		n := 0.0
		if v2 {
			text, _ := os.ReadFile(filepath.Join(dir, "cpu.max")) // "QUOTA PERIOD", or "max PERIOD"
			if f := strings.Fields(string(text)); len(f) == 2 {
				n = ratio(f[0], f[1])
			}
		} else {
			quota, _ := os.ReadFile(filepath.Join(dir, "cpu.cfs_quota_us")) // −1: none
			period, _ := os.ReadFile(filepath.Join(dir, "cpu.cfs_period_us"))
			n = ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
		}
		if n > 0 && (least == 0 || n < least) {
			least = n
		}
	})
	return least
}

// ratio is that of two positive numbers; 0 if they are none.
func ratio(a, b string) float64 {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil || x <= 0 || y <= 0 {
		return 0
	}
	return x / y
}
