package main

import (
	"math"
	"strings"
	"testing"

	"jem/backend/backendtest"
	"jem/config"
)

func configured(depth, width, batch, steps int) config.Config {
	c := config.Default()
	c.Model.Depth, c.Model.Width, c.Train.Batch, c.Sampler.Steps = depth, width, batch, steps
	return c
}

// TestCountIsTheNetworks compares the counted work with the network's layers: an SGLD step is
// a forward pass and an input gradient; the rest is both gradients and a forward pass
// over three batches, but no gradient at the images.
func TestCountIsTheNetworks(t *testing.T) {
	const batch, steps = 8, 5
	w, err := count(configured(16, 2, batch, steps))
	if err != nil {
		t.Fatal(err)
	}
	var forward, stem float64
	layers := 0
	for i, l := range backendtest.NetworkConvs(16, 2, 3, 32, batch) {
		forward += 2 * l.Spec.MACs(batch) * float64(l.Count)
		layers += l.Count
		if i == 0 {
			stem = 2 * l.Spec.MACs(batch)
		}
	}
	sgld, rest := costs(w.sgld, 4), costs(w.rest, 4)
	// The sums are of integers below 2^53: exact.
	if sgld.flops != 2*forward || rest.flops != 9*forward-3*stem {
		t.Errorf("an SGLD step has %g FLOP, the rest %g; want %g and %g", sgld.flops, rest.flops, 2*forward, 9*forward-3*stem)
	}
	if sgld.convs != 2*layers || rest.convs != 3*layers-1 {
		t.Errorf("%d and %d convolutions, want %d and %d", sgld.convs, rest.convs, 2*layers, 3*layers-1)
	}
}

// TestPaperNetwork holds the figure that the documentation quotes, 37.3 TFLOP.
func TestPaperNetwork(t *testing.T) {
	w, err := count(configured(28, 10, 64, 20))
	if err != nil {
		t.Fatal(err)
	}
	if total := costs(w.rest, 4).add(20, costs(w.sgld, 4)).flops / 1e12; math.Abs(total-37.33) > 0.005 {
		t.Errorf("%.3f TFLOP an iteration, want 37.33 to the last digit", total)
	}
}

func TestPatternsAreDistinct(t *testing.T) {
	w, err := count(configured(16, 2, 8, 1))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range patterns(w) {
		if seen[p] || len(strings.Fields(p)) != 13 {
			t.Errorf("%q: twice, or not of 13 fields", p)
		}
		seen[p] = true
	}
	for _, want := range []string{"forward 8 3 32 32 16 3 1 1 1 0 1 1", "input-gradient 8 32 32 32 32 3 1 1 0 1 0 1"} {
		if !seen[want] {
			t.Errorf("no pattern %q", want)
		}
	}
}
