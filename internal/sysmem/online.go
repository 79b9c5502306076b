package sysmem

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Online is the number of the machine's cores that run, whether this process may use them or not, as Linux tells it; 0
// elsewhere: not known.
func Online() int { return system("/").online() }

func (s system) online() int {
	text, err := os.ReadFile(s.path("sys/devices/system/cpu/online"))
	if err != nil {
		return 0
	}
	all, _ := numbers(string(text)) // none is as good an answer
	return len(all)
}

// Cores are the numbers of those that this process may use, as Linux lists them: "0-3,6"; "" elsewhere: not known.
func Cores() string { return system("/").cores() }

func (s system) cores() string {
	text, err := os.ReadFile(s.path("proc/self/status"))
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(text) {
		if list, is := bytes.CutPrefix(line, []byte("Cpus_allowed_list:")); is {
			return string(bytes.TrimSpace(list))
		}
	}
	return ""
}

// Machine names the machine, or what runs as one, since it started: processes of all its containers have the same name for
// it; "" where that isn't known.
func Machine() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // "" is as good an answer
	return strings.TrimSpace(string(text))
}

// numbers reads a list of at least one, as in "0-3,6".
func numbers(list string) (all []int, err error) {
	const most = 1 << 16
	for _, part := range strings.Split(strings.TrimSpace(list), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if errA != nil || errB != nil || a < 0 || b < a || b >= most {
			return nil, fmt.Errorf("%q is no list of numbers", list)
		}
		for ; a <= b; a++ {
			all = append(all, a)
		}
	}
	return all, nil
}
