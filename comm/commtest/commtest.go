// Package commtest is what an engine of comm.Comm is asked: the same questions whether its ranks are goroutines or processes.
package commtest

import (
	"fmt"
	"sync"
	"time"

	"jem/comm"
)

// Question is put to all ranks of a job at once; each says what was wrong. Questions of one job are asked in one order.
type Question struct {
	Name string
	Ask  func(c comm.Comm) error
}

// Questions are all that leave a job usable.
func Questions() []Question {
	return []Question{
		{"sum", sums},
		{"sum of special numbers", specials},
		{"gather", gathers},
		{"broadcast", broadcasts},
		{"max", maxima},
		{"operations pending", pendings},
		{"garbage collected meanwhile", garbage},
	}
}

// All puts a question to the ranks of a job that are goroutines, and returns the first complaint, with the rank.
func All(job []comm.Comm, ask func(c comm.Comm) error) error {
	faults := make([]error, len(job))
	var wait sync.WaitGroup
	for r, c := range job {
		wait.Go(func() {
			faults[r] = fmt.Errorf("rank %d ended within", r) // unless it returns: engines may end a goroutine
			faults[r] = ask(c)
		})
	}
	wait.Wait()
	for r, err := range faults {
		if err != nil {
			return fmt.Errorf("rank %d of %d: %w", r, len(job), err)
		}
	}
	return nil
}

// Absent has the last rank stay away from a round: the others must give up after the patience, say so as
// *comm.PeerError, and refuse further rounds at once. The job is not usable afterwards. late is how much longer than the patience it may take.
func Absent(c comm.Comm, patience, late time.Duration) error {
	if c.Rank() == c.Size()-1 {
		return nil
	}
	c.At(7)
	begin := time.Now()
	_, err := c.Max(1)
	if e := isPeer(err, c, 7, "max"); e != nil {
		return e
	}
	if took := time.Since(begin); took < patience || took > patience+late {
		return fmt.Errorf("gave up after %s, with a patience of %s", took, patience)
	}
	begin = time.Now()
	if err := c.Sum(make([]float32, 10)).Wait(); err == nil || time.Since(begin) > patience {
		return fmt.Errorf("a round after that: %v after %s", err, time.Since(begin))
	}
	if err := c.Close(); err == nil {
		return fmt.Errorf("closed as if nothing were wrong")
	}
	return nil
}
