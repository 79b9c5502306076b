package sysmem

import "fmt"

var (
	// beside is the number of processes that share this machine, or this process's part of it.
	beside = 1
	// began is what there was for all of them when they began, of which they take at different times.
	began Limit
)

// Beside says, at the process's start, that so many processes like it are on this machine, itself included, and share
// its memory and its processors evenly: ranks of one run.
func Beside(processes int) {
	if beside = max(1, processes); beside > 1 {
		began = Available()
	}
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
