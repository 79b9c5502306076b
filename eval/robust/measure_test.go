package robust

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"jem/backend/philox"
	"jem/predict"
	"jem/predict/predicttest"
)

// onImages opens a network whose test images are so many of noise.
func onImages(t *testing.T, n int) *predict.Predictor {
	t.Helper()
	const folder, record = "cifar-10-batches-bin", 3073
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, folder), 0o777); err != nil {
		t.Fatal(err)
	}
	file := make([]byte, n*record)
	for i := range file {
		if file[i] = byte(philox.New(5, 0, philox.Test).IntN(uint64(i), 256)); i%record == 0 {
			file[i] %= 10 // the class
		}
	}
	if err := os.WriteFile(filepath.Join(dir, folder, "test_batch.bin"), file, 0o666); err != nil {
		t.Fatal(err)
	}
	p := predicttest.Official(t)
	p.Config.Data.Dir = dir
	return p
}

// A measurement leaves the predictor as it was, names what it measured, and draws under the names
// that the documentation gives; its JSON holds nothing of how it was asked for.
func TestMeasureChangesNothing(t *testing.T) {
	p := onImages(t, 30)
	before := p.Config
	o := options("pgd")
	o.Images, o.Epsilons, o.Refine, o.Split = 20, []float64{1, 255}, 1, "test"
	heard, points := 0, 0
	o.Point = func(Point) { points++ }
	r, err := Measure(context.Background(), p, o, func(string, int, int) { heard++ })
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration is %+v, was %+v", p.Config, before)
	}
	if r.Subject != p.Subject(0) || r.Text == "" || len(r.DataHash) != 64 || r.Samples != 20 || heard != 2*4 || points != 2 {
		t.Errorf("got %+v, %+v, heard %d times and of %d points", r.Subject, r.Protocol, heard, points)
	}
	charts := r.Charts()
	if names := slices.Collect(maps.Keys(charts)); !slices.Equal(names, []string{"curve.png"}) || len(charts["curve.png"].Lines[0].X) != 3 {
		t.Errorf("charts %v", charts)
	}
	pictures, err := r.Pictures()
	broken := r.Points[1].Broken + r.Points[2].Broken
	if _, ok := pictures["adversarial-pgd-k1.png"]; err != nil || ok != (broken > 0) || broken == 0 {
		t.Errorf("%d broken, pictures %v, %v", broken, pictures, err)
	}
	var keys map[string]any
	if b, err := json.Marshal(r); err != nil || json.Unmarshal(b, &keys) != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"Split", "From", "Folder", "Point", "Found"} {
		if _, ok := keys[k]; ok {
			t.Errorf("%s is in the JSON", k)
		}
	}
}

// Zeros stand for the published attack, and nothing else is touched.
func TestZerosStandForThePublishedAttack(t *testing.T) {
	want := Options{
		Kind: "pgd", Norm: "linf", Epsilons: []float64{1, 2, 4, 8, 16}, Steps: 40, Restarts: 20, Queries: 1000, Chains: 5,
		Draws: 1, Images: 300, Batch: 50,
	}
	if got := (Options{}).settled(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := want.settled(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := (DistalOptions{Class: 3}).settled(), (DistalOptions{3, 10, 500, 0.2, 0.9, 0}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Nothing broken, nothing to show; a result that was only read has no images.
func TestPicturesOfNothing(t *testing.T) {
	for _, r := range []interface {
		Pictures() (map[string]image.Image, error)
	}{Result{}, DistalResult{}, NewReport(Result{})} {
		if all, err := r.Pictures(); err != nil || len(all) > 0 {
			t.Errorf("%T: %v, %v", r, all, err)
		}
	}
}

// Distal images leave the predictor as it was, tell of their steps up to the last, and end with
// their context.
func TestDistal(t *testing.T) {
	p := predicttest.Official(t)
	before := p.Config
	o := DistalOptions{Class: 2, N: 2, Steps: 3, StepSize: 0.5, Seed: 1}
	var told []int
	r, err := Distal(context.Background(), p, o, func(_ string, done, total int) {
		if told = append(told, done); total != 3 {
			t.Errorf("%d steps in all", total)
		}
	})
	if err != nil || len(r.Reached) != 2 || r.Subject != p.Subject(0) || r.Protocol.Samples != 2 || len(r.Images) != 2*3072 {
		t.Fatalf("got %+v, %v", r, err)
	}
	if !slices.IsSorted(told) || told[len(told)-1] != 3 {
		t.Errorf("told of %v", told)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration is %+v, was %+v", p.Config, before)
	}
	pictures, err := r.Pictures()
	if names := slices.Collect(maps.Keys(pictures)); err != nil || !slices.Equal(names, []string{"distal-2.png"}) {
		t.Errorf("pictures %v, %v", names, err)
	}
	o.Steps, o.Confidence = 1_000_000, 1-1e-15
	if _, err := Distal(predicttest.EndsAfter(3), p, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
