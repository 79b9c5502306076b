package eval

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"jem/internal/fault"
	"jem/predict/predicttest"
)

// Accuracy agrees with a count by hand of the network's answers, is watched to the end and
// leaves the network's configuration as it was.
func TestMeasure(t *testing.T) {
	p := predicttest.WithImages(t)
	before := p.Config
	var about string
	var left int
	r, err := Measure(context.Background(), p, Options{Limit: 15, Noise: 0.1}, func(of string, done, total int) { about, left = of, total-done })
	if err != nil || r.Split != "test" || r.Images != 15 || r.Samples != 15 || r.Noise != 0.1 || len(r.DataHash) != 64 || r.Text != "largest logit" || len(r.Notes) == 0 {
		t.Errorf("got %+v: %v", r, err)
	}
	if about != "noise 0.1, refine 0" || left != 0 {
		t.Errorf("watched %q, %d to go", about, left)
	}
	refined, err := Measure(context.Background(), p, Options{Split: "valid", Refine: 1, Seed: 2}, nil)
	if err != nil || refined.Images != 20 || refined.Refine != 1 || refined.SGLDSeed != 2 || refined.Noise != 0 || refined.Text == r.Text {
		t.Errorf("got %+v: %v", refined, err)
	}
	if again, err := Measure(context.Background(), p, Options{Split: "valid", Refine: 1, Seed: 3}, nil); err != nil || again.DataHash != refined.DataHash || again.LogPx == refined.LogPx {
		t.Errorf("another seed: got %+v: %v", again, err)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration became %+v, was %+v", p.Config, before)
	}
}

// Without refinement an answer is that of the batch as it is.
func TestMeasureCounts(t *testing.T) {
	p := predicttest.WithImages(t)
	r, err := Measure(context.Background(), p, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := p.Batch().Forward(20) // the images lie there still
	if err != nil {
		t.Fatal(err)
	}
	right, loss := 0, 0.0
	for i, y := range p.Batch().Labels[:20] {
		row, top, sum := logits[10*i:10*i+10], 0, 0.0
		for k, v := range row {
			if v > row[top] {
				top = k
			}
			sum += math.Exp(float64(v))
		}
		if top == int(y) {
			right++
		}
		loss += (math.Log(sum) - float64(row[y])) / 20
	}
	// Sums of 20 float64 of size 1 to 10 err by less than 10⁻¹³.
	if r.Accuracy != float64(right)/20 || math.Abs(r.Loss-loss) > 1e-12 {
		t.Errorf("accuracy %g and loss %g, by hand %d of 20 and %g", r.Accuracy, r.Loss, right, loss)
	}
}

func TestMeasureRefuses(t *testing.T) {
	p := predicttest.Official(t)
	p.Config.Data.Dir = t.TempDir()
	if _, err := Measure(context.Background(), p, Options{}, nil); !errors.Is(err, fault.ErrMissing) {
		t.Errorf("no files: got %v", err)
	}
	p.Config.Data.Dir = predicttest.CIFAR(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for k := range 2 {
		if _, err := Measure(ended, p, Options{Refine: k}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("an ended context, refine %d: got %v", k, err)
		}
	}
	predicttest.Spoil(p)
	if _, err := Measure(context.Background(), p, Options{}, nil); !errors.Is(err, fault.ErrBad) {
		t.Errorf("broken weights: got %v", err)
	}
}
