package chains

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
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
	r, err := Measure(context.Background(), p, Options{N: 3, Steps: 16, Every: 1, Fresh: true, Seed: 4}, func(about string, done, total int) {
		if told = done; about != "SGLD steps" || total != 16 {
			t.Errorf("told of %d of %d %s", done, total, about)
		}
	})
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
	if _, err := Measure(context.Background(), p, Options{N: 2, Steps: 64, Every: 4, Fresh: true}, nil); !errors.Is(err, fault.ErrBad) {
		t.Errorf("got %v", err)
	}
}

// quick are options of few SGLD steps.
var quick = Options{N: 2, Steps: 16, Every: 1, Fresh: true, Seed: 4}

// A measurement leaves the predictor as it was, names what it measured, and draws charts under the
// names that the documentation gives.
func TestMeasureChangesNothing(t *testing.T) {
	p := predicttest.Official(t)
	before := p.Config
	r, err := Measure(context.Background(), p, quick, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration is %+v, was %+v", p.Config, before)
	}
	if r.Subject != p.Subject(0) || r.Text == "" || r.Samples != 2 {
		t.Errorf("got %+v, %+v", r.Subject, r.Protocol)
	}
	if names := slices.Sorted(maps.Keys(r.Charts())); !slices.Equal(names, []string{"chains-log-px.png", "chains-step-norm.png"}) {
		t.Errorf("charts %v", names)
	}
	for name, c := range r.Charts() {
		if len(c.Lines) != 3+2 || len(c.Lines[0].X) != 16 {
			t.Errorf("%s: %d lines of %d points", name, len(c.Lines), len(c.Lines[0].X))
		}
	}
}

// Zeros stand for what the documentation says, and nothing else is touched.
func TestZerosStandForSomething(t *testing.T) {
	if got, want := (Options{Seed: 3}).settled(), (Options{N: 20, Steps: 1000, Every: 10, Seed: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := quick.settled(); got != quick {
		t.Errorf("got %+v, want %+v", got, quick)
	}
}

// A context that ends stops chains between their records and between their marks.
func TestChainsEnd(t *testing.T) {
	p := predicttest.Official(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	r, err := Measure(ctx, p, quick, func(_ string, done, _ int) {
		if done == 3 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) || len(r.Records) != 3 {
		t.Errorf("%d records, %v", len(r.Records), err)
	}
	far := quick
	far.Steps, far.Every = 16_000_000, 1_000_000
	if r, err = Measure(predicttest.EndsAfter(2), p, far, nil); !errors.Is(err, context.Canceled) || len(r.Records) != 0 {
		t.Errorf("%d records, %v", len(r.Records), err)
	}
	long := TrajectoryOptions{From: "fresh", N: 2, Marks: []int{0, 2, 1_000_000}, Seed: 1}
	var told []int
	_, err = Follow(predicttest.EndsAfter(5), p, long, func(about string, done, total int) {
		told = append(told, done)
		if about != "SGLD steps" || total != 1_000_000 {
			t.Errorf("told of %d of %d %s", done, total, about)
		}
	})
	if !errors.Is(err, context.Canceled) || !slices.Equal(told, []int{0, 2}) {
		t.Errorf("told of %v, %v", told, err)
	}
	long.Marks = []int{0, 3}
	got, err := Follow(context.Background(), p, long, nil)
	if err != nil || len(got.Images) != 2 || len(got.LogPx[1]) != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}
