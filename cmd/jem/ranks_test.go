package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/comm"
	"jem/comm/launch"
	"jem/comm/mem"
	"jem/config/settings"
	"jem/internal/fault"
	"jem/train"
)

// left is what a rank came to.
type left struct {
	code int // −1: it was aborted
	said string
}

// leave has ranks in this process end with errors of their own.
func leave(t *testing.T, errs []error, crashing int) []left {
	t.Helper()
	all := make([]left, len(errs))
	var ranks sync.WaitGroup
	for rank, c := range mem.New(len(errs), 20*time.Second) {
		all[rank].code = -1
		ranks.Go(func() {
			var stderr bytes.Buffer
			defer func() { all[rank].said = stderr.String() }()
			j := &job{place: launch.Place{Rank: rank, Size: len(errs), LocalSize: len(errs)}, ranks: c}
			if rank == crashing {
				j.crashed("a bug")
			}
			all[rank].code = j.end(errs[rank], &stderr)
		})
	}
	ranks.Wait()
	return all
}

// All ranks leave with the code of the first one that failed, which alone says why.
func TestRanksLeaveWithOneCode(t *testing.T) {
	elsewhere := &comm.ElsewhereError{Rank: 1}
	missing := &fault.Error{Path: "x", Kind: fault.ErrMissing, Reason: "is not there"}
	wrong := &settings.Error{Faults: []settings.Fault{{Path: "p", Problem: "is wrong"}}}
	replicas := &train.ReplicasError{Step: 3, Ranks: []int{1}, Of: 3, Clear: true}
	for name, tc := range map[string]struct {
		errs    []error
		code    int
		speaker int // −1: nobody
	}{
		"all well":      {[]error{nil, nil, nil}, exitDone, -1},
		"one failed":    {[]error{elsewhere, missing, elsewhere}, exitData, 1},
		"all alike":     {[]error{wrong, wrong, wrong}, exitConfig, 0},
		"two unlike":    {[]error{elsewhere, wrong, missing}, exitConfig, 1},
		"unequal":       {[]error{replicas, replicas, replicas}, exitBug, 0},
		"on its way":    {[]error{errors.Join(elsewhere, missing), wrong, elsewhere}, exitConfig, 1},
		"in turn":       {[]error{errors.Join(missing, elsewhere), errors.Join(elsewhere, wrong), elsewhere}, exitData, 0},
		"nobody's own":  {[]error{elsewhere, elsewhere, elsewhere}, exitBug, 0},
		"the first one": {[]error{missing, elsewhere, elsewhere}, exitData, 0},
	} {
		for rank, l := range leave(t, tc.errs, -1) {
			if l.code != tc.code || (l.said != "") != (rank == tc.speaker) {
				t.Errorf("%s: rank %d leaves with %d, saying %q", name, rank, l.code, l.said)
			}
			if rank > 0 && l.said != "" && !strings.HasPrefix(l.said, "jem: rank 1 on ") {
				t.Errorf("%s: rank %d doesn't say who it is: %q", name, rank, l.said)
			}
		}
	}
}

// A rank that crashes, or has failed alone, or lost another, takes the job with it: the others don't wait.
func TestALostRankEndsTheJob(t *testing.T) {
	begin := time.Now()
	alone := &comm.AloneError{Err: &fault.Error{Path: "x", Kind: fault.ErrBad, Reason: "is damaged"}}
	for name, all := range map[string][]left{
		"crashed": leave(t, make([]error, 3), 1),
		"alone":   leave(t, []error{nil, alone, nil}, -1),
	} {
		for rank, l := range all {
			if l.code != -1 || rank != 1 && !strings.Contains(l.said, "a rank has left") || rank == 1 && strings.Contains(l.said, "damaged") != (name == "alone") {
				t.Errorf("%s: rank %d leaves with %d, saying %q", name, rank, l.code, l.said)
			}
		}
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Of the ranks that miss the same ones the first says so; whose engine failed, or who knows nothing of others, speaks for itself.
func TestOneOfTheSurvivorsSpeaks(t *testing.T) {
	peers := func(ranks ...int) (all []comm.Peer) {
		for _, r := range ranks {
			all = append(all, comm.Peer{Rank: r})
		}
		return all
	}
	for name, tc := range map[string]struct {
		err       error
		elsewhere bool
	}{
		"the first":             {&comm.PeerError{Rank: 0, Silent: peers(2)}, false},
		"another":               {&comm.PeerError{Rank: 1, Silent: peers(2)}, true},
		"the first one there":   {&comm.PeerError{Rank: 2, Silent: peers(0), Busy: peers(1, 3)}, false},
		"the second one there":  {fmt.Errorf("step 3: %w", &comm.PeerError{Rank: 2, Silent: peers(0, 3)}), true},
		"its engine failed":     {&comm.PeerError{Rank: 1, Silent: peers(2), Err: errors.New("amiss")}, false},
		"it has failed alone":   {&comm.AloneError{Err: errors.New("amiss")}, false},
		"nobody but this one":   {&comm.PeerError{Rank: 1, Silent: peers(0, 2)}, false},
		"it waits for a slow 0": {&comm.PeerError{Rank: 1, Busy: peers(0)}, false},
	} {
		if got := saidElsewhere(tc.err); got != tc.elsewhere {
			t.Errorf("%s: left to others: %v", name, got)
		}
	}
}

// What is wrong before the ranks know each other the first one says at once; others give it time for that.
func TestTheFirstSaysWhatIsWrong(t *testing.T) {
	for rank, want := range []string{"jem: amiss\n", ""} {
		var stderr bytes.Buffer
		j, begin := &job{place: launch.Place{Rank: rank, Size: 2, By: "srun"}}, time.Now()
		code := j.end(&comm.SetupError{Reason: "amiss"}, &stderr)
		if waited := time.Since(begin) >= soon; code != exitConfig || stderr.String() != want || rank > 0 && !waited {
			t.Errorf("rank %d leaves with %d after %v, saying %q", rank, code, time.Since(begin), stderr.String())
		}
	}
}

func TestNeighbours(t *testing.T) {
	all := [][]byte{[]byte("a 1\n0-3"), []byte("b 2\n0-1"), []byte("b 2\n2-3"), []byte("a 1\n0-3"), []byte("b 3\n"), []byte("a")}
	for rank, want := range []string{"[0-3 0-3] 0", "[0-1 2-3] 0", "[0-1 2-3] 1", "[0-3 0-3] 1", "[] 0", "[] 0"} {
		if cores, this := neighbours(all, rank); fmt.Sprint(cores, this) != want {
			t.Errorf("rank %d: %v, and is %d of them, want %s", rank, cores, this, want)
		}
	}
}

// Commands that know no ranks are refused where a launcher has started several, in the words of the launcher.
func TestCommandsWithoutRanksAreRefused(t *testing.T) {
	four := &job{place: launch.Place{Size: 4, By: "srun"}}
	for command, refused := range map[string]bool{"train": false, "version": false, "eval": true, "checkpoint list": true, "sweep": true} {
		err := four.admit(command)
		if (err != nil) != refused || refused && (exitCode(err) != exitConfig || !strings.Contains(err.Error(), "srun has started 4 processes")) {
			t.Errorf("%s: %v", command, err)
		}
		if err := (&job{place: launch.Alone}).admit(command); err != nil {
			t.Errorf("%s alone: %v", command, err)
		}
	}
}
