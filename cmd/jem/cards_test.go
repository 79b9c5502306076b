//go:build !mpi && !cuda

package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/comm/launch"
	"jem/comm/mem"
)

// A program without engines names the one that has what the device wants.
func TestRanksWantAnotherProgram(t *testing.T) {
	for device, says := range map[string]string{"cpu": "use bin/jem-mpi (make mpi)", "cuda": "use bin/jem-cuda (make cuda)"} {
		var said bytes.Buffer
		j := &job{place: launch.Place{Size: 2, By: "srun"}}
		code := j.run([]string{"jem", "train", "--preset", "shapes-demo", "--device", device, "--out", t.TempDir()}, &said, &said)
		if code != exitConfig || !strings.Contains(said.String(), "srun has started 2 ranks") || !strings.Contains(said.String(), says) {
			t.Errorf("%s: exit code %d: %s", device, code, said.String())
		}
	}
}

// Ranks that want different devices are told so, all alike; where one does not know, none goes on with cards.
func TestRanksWantOneDevice(t *testing.T) {
	for _, c := range []struct {
		own  []string
		want string
		code int
	}{
		{[]string{"cuda", "cuda"}, "cuda", exitDone},
		{[]string{"cpu", "cpu", "cpu"}, "cpu", exitDone},
		{[]string{"cuda", "cpu"}, "", exitConfig},
		{[]string{"cuda", ""}, "", exitDone},
		{[]string{"", "cuda"}, "", exitDone},
	} {
		var all sync.WaitGroup
		for rank, ranks := range mem.New(len(c.own), 20*time.Second) {
			all.Go(func() {
				got, err := sameDevice(ranks, c.own[rank])
				if got != c.want || exitCode(err) != c.code || err != nil && !strings.Contains(err.Error(), "rank 1 wants the device cpu and rank 0 cuda") {
					t.Errorf("%q: rank %d got %q, %v", c.own, rank, got, err)
				}
			})
		}
		all.Wait()
	}
}
