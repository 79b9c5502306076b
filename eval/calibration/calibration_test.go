package calibration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/predict"
	"jem/predict/predicttest"
)

// Both splits run through the network, the configuration stays, the chart has its name.
func TestMeasure(t *testing.T) {
	p := predicttest.WithImages(t)
	before := p.Config
	left := map[string]int{}
	r, err := Measure(context.Background(), p, Options{Noise: 0.1}, func(about string, done, total int) { left[about] = total - done })
	if err != nil || r.Split != "test" || r.Images != 20 || r.Noise != 0.1 || r.Text != protocol(metrics.Below) || len(r.DataHash) != 64 || len(r.Bins) != 3 {
		t.Fatalf("got %+v: %v", r, err)
	}
	if !maps.Equal(left, map[string]int{"test": 0, "valid": 0}) {
		t.Errorf("watched %v", left)
	}
	if fitted := r.Scaled != nil; fitted == strings.Contains(strings.Join(r.Notes, "\n"), "no temperature: ") {
		t.Errorf("a temperature: %v, notes %q", fitted, r.Notes)
	}
	if names := slices.Collect(maps.Keys(r.Charts())); !slices.Equal(names, []string{"reliability.png"}) {
		t.Errorf("charts %q", names)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration became %+v, was %+v", p.Config, before)
	}
}

// The mean confidence is that of the diagram's bins, with a temperature one of its own.
func TestMeanConfidence(t *testing.T) {
	r, err := Measure(context.Background(), predicttest.WithImages(t), Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for _, b := range r.Reliability {
		mean += float64(b.Count) * b.Confidence / float64(r.Images)
	}
	if math.Abs(mean-r.Confidence) > 1e-12 {
		t.Errorf("mean confidence %g, of the bins %g", r.Confidence, mean)
	}
	if s := r.Scaled; s != nil && (s.T > 1) != (s.Confidence < r.Confidence) {
		t.Errorf("mean confidence %g at temperature %g, %g before", s.Confidence, s.T, r.Confidence)
	}
}

// Trained networks have no confidence on an edge but 1, so the figures stay; the words don't.
func TestEdgeIsSaid(t *testing.T) {
	p := predicttest.WithImages(t)
	below, err1 := Measure(context.Background(), p, Options{NoTemperature: true}, nil)
	above, err2 := Measure(context.Background(), p, Options{NoTemperature: true, Edge: metrics.Above}, nil)
	if err := errors.Join(err1, err2); err != nil || !reflect.DeepEqual(below.Bins, above.Bins) {
		t.Fatalf("got %+v and %+v: %v", below.Bins, above.Bins, err)
	}
	if below.Edge != metrics.Below || above.Edge != metrics.Above || !strings.Contains(above.Text, "[lo,hi) of equal width") {
		t.Errorf("edges %q and %q, protocol %q", below.Edge, above.Edge, above.Text)
	}
}

// The proper scores are those of the whole, and need no held-out images.
func TestProper(t *testing.T) {
	p := predicttest.WithImages(t)
	whole, err1 := Measure(context.Background(), p, Options{Split: "valid", Limit: 15}, nil)
	var watched []string
	r, err2 := Measure(context.Background(), p, Options{Split: "valid", Limit: 15, NoTemperature: true}, func(about string, _, _ int) { watched = append(watched, about) })
	if err := errors.Join(err1, err2); err != nil || r.Scaled != nil || len(watched) != 1 {
		t.Fatalf("got %+v, watched %q: %v", r, watched, err)
	}
	got, want := r.Proper(), whole.ProperScores
	if got.Text != properProtocol || r.Text != protocol(metrics.Below) {
		t.Errorf("protocols %q and %q", got.Text, r.Text)
	}
	if got.Text = want.Text; got != want || got.Images != 15 {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A temperature that is judged on the images it was fitted on says so.
func TestTemperatureOfTheSameImages(t *testing.T) {
	logits, err := metrics.Flat(2, []float32{3, 0, 3, 0, 3, 0, 0, 3})
	if err != nil {
		t.Fatal(err)
	}
	on := &predict.Outputs{Logits: logits, Labels: []int{0, 0, 1, 1}, Digest: "a"}
	for digest, notes := range map[string]int{"a": 1, "b": 0} {
		var r Result
		held := *on
		held.Digest = digest
		if err := r.scale(on, &held); err != nil || r.Scaled == nil || len(r.Notes) != notes {
			t.Errorf("images %s and a: %+v, %v", digest, r, err)
		}
	}
}

func TestMeasureWithoutHeldOutImages(t *testing.T) {
	p := predicttest.WithImages(t)
	p.Config.Data.Valid = 0
	r, err := Measure(context.Background(), p, Options{}, nil)
	if err != nil || r.Scaled != nil || r.Notes[len(r.Notes)-1] != "no temperature: the run held out no validation images" {
		t.Errorf("got %+v: %v", r, err)
	}
	r, err = Measure(context.Background(), p, Options{Split: "valid"}, nil)
	if !errors.Is(err, fault.ErrMissing) || len(r.Notes) == 0 {
		t.Errorf("got %v, notes %q", err, r.Notes)
	}
}

// The keys of a result and their order are read by others.
func TestKeys(t *testing.T) {
	b, err := json.Marshal(Result{Scaled: &Temperature{}, Notes: []string{"not here"}})
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, key := range []string{"checkpoint", "seed", "protocol", "data_sha256", "samples", "split", "images", "accuracy", "nll", "brier", "mean_confidence", "bins", "temperature", "on_edge", "reliability"} {
		at := bytes.Index(b, []byte(`"`+key+`":`))
		if at <= last {
			t.Errorf("%s is missing or not in its place: %s", key, b)
		}
		last = at
	}
	if bytes.Contains(b, []byte("not here")) {
		t.Errorf("notes are for people: %s", b)
	}
}
