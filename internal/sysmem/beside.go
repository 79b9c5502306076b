package sysmem

import "fmt"

// beside is the number of processes that share this machine, or this process's part of it.
var beside = 1

// Beside says, at the process's start, that so many processes like it are on this machine, itself included, and share
// its memory and its processors evenly: ranks of one run.
func Beside(processes int) { beside = max(1, processes) }

// among is a share of the limit.
func (l Limit) among(processes int) Limit {
	if processes == 1 || l.Bytes == 0 {
		return l
	}
	return Limit{l.Bytes / float64(processes), fmt.Sprintf("%s, among %d ranks,", l.By, processes)}
}
