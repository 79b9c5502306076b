package rundir

import (
	"os"
	"testing"
)

func handles(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

func TestRefusalsLeakNoFileHandle(t *testing.T) {
	d := newRun(t)
	held := handles(t)
	if _, err := Open(string(d.Path)); err == nil {
		t.Fatal("opened a locked folder")
	}
	if got := handles(t); got != held {
		t.Errorf("a refused Open left %d handles open", got-held)
	}
	closeRun(t, d)
	free := handles(t)
	if free >= held {
		t.Errorf("Close kept all of its %d handles", held)
	}
	again, err := Open(string(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	closeRun(t, again)
	if _, err := Create(string(d.Path), nil, nil, Env{}); err == nil {
		t.Error("an existing run was overwritten")
	}
	if got := handles(t); got != free {
		t.Errorf("refusals left %d handles open", got-free)
	}
}
