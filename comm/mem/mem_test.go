package mem

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"jem/comm"
	"jem/comm/commtest"
)

func TestContract(t *testing.T) {
	for size := 1; size <= 5; size++ {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			job := New(size, time.Minute)
			for _, q := range commtest.Questions() {
				if err := commtest.All(job, q.Ask); err != nil {
					t.Errorf("%s: %v", q.Name, err)
				}
			}
			if err := commtest.All(job, comm.Comm.Close); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func TestAbsent(t *testing.T) {
	const patience = 200 * time.Millisecond
	for size := 2; size <= 4; size++ {
		job := New(size, patience)
		if err := commtest.All(job, func(c comm.Comm) error { return commtest.Absent(c, patience, 10*time.Second) }); err != nil {
			t.Error(err)
		}
	}
}

// TestAbort: those who wait for a rank that aborts get an error at once.
func TestAbort(t *testing.T) {
	job := New(2, time.Minute)
	go job[1].Abort(69, "no reason")
	_, err := job[0].Max(1)
	var peer *comm.PeerError
	if !errors.As(err, &peer) || !errors.Is(err, ErrLeft) {
		t.Errorf("got %v", err)
	}
}

// TestStrangers: ranks that meet for different things, or for as many of different lengths, notice.
func TestStrangers(t *testing.T) {
	for name, other := range map[string]func(comm.Comm){
		"another call":   func(c comm.Comm) { c.Broadcast(make([]byte, 8), 0) },
		"another length": func(c comm.Comm) { c.Gather(make([]float32, 6)) },
	} {
		t.Run(name, func(t *testing.T) {
			job := New(2, time.Minute)
			job[0].Gather(make([]float32, 8))
			defer func() {
				if recover() == nil {
					t.Error("nobody noticed")
				}
			}()
			other(job[1])
		})
	}
}
