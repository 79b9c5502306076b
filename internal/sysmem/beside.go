package sysmem

import "fmt"

var (
	// beside is the number of processes that share this machine, or this process's part of it.
	beside = 1
	// own is this process's share of the cores that its mask and the others' have; 0: not known.
	own float64
	// began is what there was for all of them when they began, of which they take at different times.
	began Limit
)

// Beside says, at the process's start, that so many processes like it are on this machine, itself included, and share
// its memory and its processors evenly: ranks of one run.
func Beside(processes int) {
	if beside = max(1, processes); beside > 1 {
		began = system("/").common()
	}
}

// Among says which cores each of the processes may use that are on this machine, see Cores, once they have told each
// other; the process with that index is this one. A core that several may use is shared evenly by those, so that masks which a
// launcher has divided among them are taken as they are, and one that they have in common is not. Of processes it knows
// better than Beside how many there are.
func Among(cores []string, this int) {
	if len(cores) != beside {
		Beside(len(cores))
		Heed()
	}
	own = part(cores, this)
}

// part is a process's share of the cores of all, each of which is shared evenly by those that may use it; 0: not known.
func part(cores []string, this int) (share float64) {
	users := map[int]int{}
	for _, list := range cores {
		all, err := numbers(list)
		if err != nil {
			return 0
		}
		for _, core := range all {
			users[core]++
		}
	}
	mine, _ := numbers(cores[this])
	for _, core := range mine {
		share += 1 / float64(users[core])
	}
	return share
}

// ours is what this process may still take, which has taken so many bytes, now that there is so much.
func ours(now, began Limit, processes int, taken float64) Limit {
	if processes == 1 || began.Bytes == 0 {
		return now
	}
	share := began.among(processes)
	share.Bytes = max(1, share.Bytes-taken)
	return now.least(share)
}

// left is ours as it is at present.
func left() Limit { return ours(Available(), began, beside, procKiB("/proc/self/status", "RssAnon:")) }

// among is a share of the limit.
func (l Limit) among(processes int) Limit {
	if processes == 1 || l.Bytes == 0 {
		return l
	}
	return Limit{l.Bytes / float64(processes), fmt.Sprintf("%s, among %d ranks,", l.By, processes)}
}
