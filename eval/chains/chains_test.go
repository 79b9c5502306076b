package chains

import (
	"context"
	"errors"
	"testing"

	"jem/internal/fault"
	"jem/predict/predicttest"
)

// Along a chain the distance from the start is at most the sum of the steps, and what is
// written down is what the network says of the last images.
func TestChains(t *testing.T) {
	p := predicttest.Official(t)
	p.Config.Sampler.StepSize, p.Config.Sampler.Noise = 0.1, 0.01
	var told int
	r, err := Measure(context.Background(), p, Options{N: 3, Steps: 16, Every: 1, Fresh: true, Seed: 4}, func(steps int) { told = steps })
	if err != nil || told != 16 || len(r.Records) != 16 || r.LogPx.N != 3*8 || len(r.DataHash) != 64 {
		t.Fatalf("%d records, told of %d, %+v: %v", len(r.Records), told, r.LogPx, err)
	}
	for i := range 3 {
		walked := 0.0
		for _, at := range r.Records {
			walked += at.StepNorm[i]
			// noise alone moves an image by 0.01·√3072 = 0.55; distances are rounded to 1e−6 of themselves
			if at.Distance[i] > walked*(1+1e-5) || at.StepNorm[i] < 0.5 {
				t.Errorf("chain %d, step %d: distance %g after %g, last step %g", i, at.Step, at.Distance[i], walked, at.StepNorm[i])
			}
		}
	}
	again, err := Measure(context.Background(), p, Options{N: 3, Steps: 32, Every: 2, Fresh: true, Seed: 4}, nil)
	if err != nil || again.Records[0].Step != 2 {
		t.Errorf("got %+v, %v", again.Records[0], err)
	}
	if _, err := Measure(context.Background(), p, Options{N: 3, Steps: 15, Every: 1, Fresh: true}, nil); err == nil {
		t.Error("too few records were accepted")
	}
}

// A chain that leaves the numbers is an error that says where.
func TestChainsThatDiverge(t *testing.T) {
	p := predicttest.Official(t)
	predicttest.Spoil(p)
	if _, err := Measure(context.Background(), p, Options{N: 2, Steps: 64, Every: 4, Fresh: true}, nil); !errors.Is(err, fault.Bad) {
		t.Errorf("got %v", err)
	}
}
