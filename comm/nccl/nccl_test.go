//go:build cuda && linux && amd64

package nccl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"jem/comm"
	"jem/comm/launch"
)

// long is how long a job may take on a busy machine.
const long = 3 * time.Minute

func TestContract(t *testing.T) {
	onStandin(t)
	for _, ranks := range []int{2, 3, 4} {
		t.Run(fmt.Sprint(ranks), func(t *testing.T) {
			j := begin(t, ranks, "questions", nil, "JEM_SIM_REPORT=/dev/stdout")
			j.each(long, 0, fmt.Sprintf("rank 0 of %d closed: NCCL 2.23.0", ranks))
			if out := j.out.String(); strings.Contains(out, "sim:") {
				t.Errorf("the stand-in complains:\n%s", out)
			}
		})
	}
}

// TestSlowLibrary: a library that is in progress for long is waited for.
func TestSlowLibrary(t *testing.T) {
	onStandin(t)
	begin(t, 2, "step", nil, "JEM_SIM_NCCL=progress=300").each(long, 0, "rank 1 of 2 closed")
}

// TestCardOfARank: one each, and a refusal that says what is there.
func TestCardOfARank(t *testing.T) {
	for _, c := range []struct {
		local, size, cards int
		visible            string
		want               int
		says               string
	}{
		{local: 0, size: 1, cards: 1, want: 0},
		{local: 0, size: 1, cards: 8, want: 0},
		{local: 3, size: 4, cards: 4, want: 3},
		{local: 2, size: 4, cards: 1, visible: "2", want: 0},
		{local: 0, size: 0, cards: 1, want: 0}, // how many there are isn't known
		{local: 1, size: 2, cards: 1, says: "this machine has 1 for rank 1 of 2 here"},
		{local: 0, size: 2, cards: 1, says: "this machine has 1 for rank 0 of 2 here"},
		{local: 3, size: 4, cards: 2, visible: "0,1", says: "has 2 in CUDA_VISIBLE_DEVICES=0,1 for rank 3 of 4"},
		{local: 0, size: 1, cards: 0, says: "has 0 for rank 0 of 1"},
	} {
		got, err := choose(c.local, c.size, c.cards, c.visible, c.visible != "")
		if setup := (*comm.SetupError)(nil); got != c.want || (err == nil) != (c.says == "") || err != nil && (!errors.As(err, &setup) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: card %d, %v", c, got, err)
		}
	}
}

// TestOneRank: a communicator of one, on whatever card there is.
func TestOneRank(t *testing.T) {
	if _, err := openDriver(); err != nil {
		t.Skipf("no card here, and not the stand-ins either: %v", err)
	}
	if _, err := open(); err != nil {
		t.Skip(err)
	}
	e := newEngine(Options{Place: launch.Alone, Patience: long})
	if err := e.prepare(launch.Alone); err != nil {
		t.Fatal(err)
	}
	what, err := e.id()
	if err == nil {
		err = e.join(what)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := scenes["questions"](comm.Comm(e)); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	t.Log(e.Name())
}
