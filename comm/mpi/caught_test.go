//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"strings"
	"testing"
	"time"
)

// A bug in the goroutine that owns MPI is raised by whoever waits, then and later; the goroutine lives on for Abort.
func TestAPanicOfTheOwnerIsTheCallers(t *testing.T) {
	e := &engine{size: 1, patience: time.Minute, work: make(chan func(), 8), urgent: make(chan func(), 1), peers: make([]peer, 1)}
	go e.own()
	first := e.start(&operation{name: "sum", begin: func(int) (bool, error) { panic("amiss") }})
	later := e.start(&operation{name: "max", begin: func(int) (bool, error) { t.Error("more is done"); return false, nil }})
	for _, p := range []*pending{first, later} {
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.HasPrefix(said, "amiss, in the goroutine that owns MPI\n") {
					t.Errorf("got %q", said)
				}
			}()
			t.Error(p.Wait())
		}()
	}
	lives := make(chan struct{})
	e.urgent <- func() { close(lives) }
	<-lives
}
