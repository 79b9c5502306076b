//go:build cuda && linux && amd64

package cuda_test

import (
	"maps"
	"math"
	"strings"
	"testing"

	"jem/backend"
	"jem/cuda"
	"jem/cuda/sim/control"
)

// memo is a backend.ChoiceMemo in memory.
type memo map[string]string

func (m memo) Recall(plan string) string   { return m[plan] }
func (m memo) Keep(plan, algorithm string) { m[plan] = algorithm }

// A device with a memo times each computation once: it keeps what it chose, disturbs no operand
// while it times, and with what was kept the next device times nothing, chooses the same and
// trains to the same bits.
func TestTimedChoicesAreKept(t *testing.T) {
	for _, o := range []cuda.Options{{}, {Precision: "bf16"}, {Precision: "tf32", Scope: "all", ConvEngine: "graph"}} {
		train := func(o cuda.Options) (losses []float64, choices map[string]string, waits int64) {
			d := open(t, o)
			if control.Present() {
				control.Reset()
			}
			log, _ := trained(t, d, 2, nil)
			for _, r := range log {
				losses = append(losses, r.L)
			}
			if control.Present() {
				waits = control.Count("cuStreamSynchronize")
			}
			return losses, d.(backend.Chooser).Choices(), waits
		}
		untimed, _, waits := train(o)
		kept := memo{}
		o.Memo = kept
		first, choices, _ := train(o)
		if !maps.Equal(kept, choices) {
			t.Errorf("kept %v, made %v", kept, choices)
		}
		again, same, waitsAgain := train(o)
		if !maps.Equal(same, choices) || waitsAgain != waits {
			t.Errorf("made %v after %v; waited %d times, without a memo %d", same, choices, waitsAgain, waits)
		}
		for i := range untimed {
			if bound := 1e-6; o.Precision == "" && math.Abs(first[i]-untimed[i]) > bound {
				t.Errorf("step %d: loss %v, untimed %v", i+1, first[i], untimed[i])
			}
			if again[i] != first[i] {
				t.Errorf("step %d: loss %v, the second time %v", i+1, first[i], again[i])
			}
		}
	}
}

// What happens to the race of one input gradient: without memory for it, and where its best
// proposal can't run, the computation is made all the same; a lost card is told of.
func TestRacesInTrouble(t *testing.T) {
	onStandin(t)
	for _, tc := range []struct {
		call       string
		code       int
		raced, bad bool // something is kept; the device fails
	}{
		{"cuMemAlloc_v2", 2, false, false},
		{"cudnnBackendExecute", 4, true, false},
		{"cuMemsetD8Async", 1, false, false},
		{"cuStreamSynchronize", 719, false, true},
	} {
		t.Run(tc.call, func(t *testing.T) {
			kept := memo{}
			d, err := cuda.Open(cuda.Options{Memo: kept})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			spec := backend.ConvSpec{N: 2, InC: 4, OutC: 4, H: 6, W: 6, Kernel: 3, Stride: 1, Pad: 1}
			conv := d.NewConv(spec, d.New(backend.Dense, 4, 4, 3, 3), nil)
			x, y := d.New(backend.Image, 2, 4, 6, 6), d.New(backend.Image, 2, 4, 6, 6)
			conv.Forward(y, nil, x, nil)
			if err := d.Sync(); err != nil {
				t.Fatal(err)
			}
			live := control.Count("live")
			control.Fail(tc.call, 1, tc.code)
			conv.InputGrad(x, y, nil, nil)
			control.Fail(tc.call, 0, 0)
			if err := d.Sync(); (err != nil) != tc.bad {
				t.Errorf("the device ends with %v", err)
			}
			var raced bool
			for plan := range kept {
				raced = raced || strings.HasPrefix(plan, "input gradient")
			}
			if raced != tc.raced {
				t.Errorf("kept %v", kept)
			}
			if left := control.Count("live"); !tc.bad && left != live {
				t.Errorf("%d allocations, before %d", left, live)
			}
		})
	}
}
