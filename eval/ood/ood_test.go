package ood

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/feed"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/internal/picture"
	"jem/predict"
	"jem/predict/predicttest"
)

// uniform is n images of noise.
func uniform(t *testing.T, p *predict.Predictor, n int) feed.Images {
	t.Helper()
	images, _, err := Open(p, "uniform", Options{Limit: n, Noise: p.Noise()})
	if err != nil || images.Len() != n {
		t.Fatalf("%v", err)
	}
	return images
}

// Every score is there for every image, and those that are functions of others agree with them.
func TestScorer(t *testing.T) {
	p := predicttest.Official(t)
	o := Options{Scores: All, Temperature: 2, ODIN: predict.PublishedODIN, Neighbour: 3}
	s := &Scorer{Options: o, p: p, want: predict.Want{Gradients: true, Features: true, ODIN: &o.ODIN}}
	known, err := p.Gather(context.Background(), "noise", uniform(t, p, 150), predict.Want{Features: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range known.Labels {
		known.Labels[i] = i % 10
	}
	g, err1 := metrics.FitGaussians(known.Features, known.Labels, 10)
	b, err2 := metrics.NewBank(known.Features)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	s.gaussians, s.bank = g, b
	var told int
	in, set, err := s.Score(context.Background(), "noise", uniform(t, p, 120), func(_ string, done, total int) { told = total - done })
	if err != nil || told != 0 || set.Images != 120 || len(set.Data) != 64 {
		t.Fatalf("%+v, %d to go: %v", set, told, err)
	}
	for _, name := range All {
		if len(in[name]) != 120 {
			t.Errorf("%s has %d scores", name, len(in[name]))
		}
	}
	if !slices.Equal(in["px"], in["energy"]) {
		t.Error("−E(x) isn't log p(x)")
	}
	for n := range 120 {
		if in["maxlogit"][n] > in["px"][n] || in["py"][n] < in["msp"][n] || in["pxgrad"][n] >= 0 {
			t.Errorf("image %d: %v", n, in)
		}
		if math.Abs(math.Log(in["py"][n])-(in["maxlogit"][n]-in["px"][n])) > 1e-9 { // p(y|x) = exp(f[y] − log p(x))
			t.Errorf("image %d: py is not exp(maxlogit − px)", n)
		}
	}
	var r Result
	r.Subject.Data = "cifar10"
	for _, name := range []string{"svhn", "cifar100", "folder:x"} {
		if err := r.add(Set{Set: name}, in, in); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.Figures) != 30 || len(r.Groups) != 20 || r.Groups[0].Group != "near" || r.Groups[0].AUROC != 0.5 || r.Sets[2].Group != "" {
		t.Errorf("%d figures, groups %+v", len(r.Figures), r.Groups)
	}
}

// Sets are told from the run's images by every score, the configuration stays, and each set
// and score has a chart of its name.
func TestMeasure(t *testing.T) {
	p := predicttest.WithImages(t)
	before := p.Config
	o := Options{Limit: 15, Noise: 0.1, Sets: []string{"uniform", "gaussian"}}
	left := map[string]int{}
	r, err := Measure(context.Background(), p, o, func(about string, done, total int) { left[about] = total - done })
	if err != nil || r.In != "cifar10 test" || r.Samples != 15 || r.Noise != 0.1 || len(r.DataHash) != 64 || r.Text == "" || r.Orientation == "" || len(r.Notes) == 0 {
		t.Fatalf("got %+v: %v", r, err)
	}
	if !maps.Equal(left, map[string]int{"test": 0, "uniform": 0, "gaussian": 0}) {
		t.Errorf("watched %v", left)
	}
	if len(r.Sets) != 2 || r.Sets[1].Set != "gaussian" || r.Sets[1].Images != 15 || len(r.Figures) != 6 || len(r.Scores) != 3 {
		t.Errorf("got %+v", r)
	}
	if s := r.Scorer; !slices.Equal(s.Scores, Published) || s.Neighbour != 50 || s.ODIN != predict.PublishedODIN {
		t.Errorf("a zero stands for %+v", s)
	}
	want := []string{"ood-gaussian-px.png", "ood-gaussian-pxgrad.png", "ood-gaussian-py.png", "ood-uniform-px.png", "ood-uniform-pxgrad.png", "ood-uniform-py.png"}
	if names := slices.Sorted(maps.Keys(r.Charts())); !slices.Equal(names, want) {
		t.Errorf("charts %q", names)
	}
	if !reflect.DeepEqual(p.Config, before) {
		t.Errorf("the configuration became %+v, was %+v", p.Config, before)
	}
}

// What scores are fitted on is said with them. A set that isn't there is said to be missing beside the
// others; where there is no other that is noticed before anything is computed.
func TestMeasureFits(t *testing.T) {
	p := predicttest.WithImages(t)
	o := Options{Split: "valid", Sets: []string{"uniform"}, Limit: 10, Scores: All, Neighbour: 3, FitImages: 70}
	r, err := Measure(context.Background(), p, o, nil)
	if err != nil || len(r.Figures) != len(All) || r.Scorer.FitImages != 70 || len(r.Scorer.FitData) != 64 || r.Scorer.Temperature <= 0 || r.In != "cifar10 valid" {
		t.Errorf("got %+v: %v", r, err)
	}
	if said := strings.Contains(strings.Join(r.Notes, "\n"), "is fitted on in-distribution images that it scores (--split valid)"); said != (r.Scorer.Temperature != 1) {
		t.Errorf("temperature %g, notes %q", r.Scorer.Temperature, r.Notes)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var read Result
	if err := json.Unmarshal(b, &read); err != nil || len(read.Figures) != len(All) || len(read.Charts()) != 0 {
		t.Errorf("read back %+v: %v", read, err)
	}
	bad := t.TempDir()
	for _, name := range []string{"a.png", "b.png"} {
		if err := os.WriteFile(filepath.Join(bad, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err = Measure(context.Background(), p, Options{Sets: []string{"folder:" + bad, "uniform"}, Limit: 10}, nil)
	if err != nil || !strings.Contains(r.Sets[0].Missing, "2 of 2 pictures") || strings.Contains(r.Sets[0].Missing, "\n") {
		t.Errorf("got %+v: %v", r, err)
	}
	o = Options{Sets: []string{"textures", "uniform", "interp"}, Limit: 10}
	r, err = Measure(context.Background(), p, o, nil)
	if err != nil || len(r.Sets) != 3 || len(r.Figures) != 3 || r.Figures[0].Set != "uniform" || r.Sets[1].Missing != "" || r.Sets[1].Images != 10 {
		t.Errorf("got %+v: %v", r, err)
	}
	for i, why := range map[int]string{0: "no folder of its pictures", 2: "20 test images, want more than 100"} {
		if s := r.Sets[i]; s.Set != o.Sets[i] || s.Images != 0 || !strings.Contains(s.Missing, why) {
			t.Errorf("got %+v, want it missing: %s", s, why)
		}
	}
	o.Sets = []string{"textures", "interp"}
	computed := false
	if r, err := Measure(context.Background(), p, o, func(string, int, int) { computed = true }); !errors.Is(err, fault.ErrMissing) || computed || len(r.Notes) == 0 {
		t.Errorf("got %v after computing: %v, notes %q", err, computed, r.Notes)
	}
}

func TestScorerRefuses(t *testing.T) {
	p := predicttest.Official(t)
	if _, _, err := NewScorer(context.Background(), p, Options{Noise: p.Noise(), Scores: []string{"pxy"}}, nil); err == nil {
		t.Error("an unknown score was accepted")
	}
	s, _, err := NewScorer(context.Background(), p, Options{Noise: p.Noise()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Score(context.Background(), "none", none{}, nil); !errors.Is(err, fault.ErrMissing) {
		t.Errorf("no images: got %v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := s.Score(ended, "noise", uniform(t, p, 3), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: got %v", err)
	}
	predicttest.Spoil(p)
	if _, _, err := s.Score(context.Background(), "noise", uniform(t, p, 3), nil); !errors.Is(err, metrics.ErrInput) {
		t.Errorf("NaN: got %v", err)
	}
}

// A digest is of what the network sees: it differs with noise, limit and order, and not with
// the batches it came in.
func TestDigest(t *testing.T) {
	p := predicttest.Official(t)
	sum := func(images feed.Images) string {
		o, err := p.Gather(context.Background(), "noise", images, predict.Want{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return o.Digest
	}
	if a := sum(uniform(t, p, 5)); a != sum(uniform(t, p, 5)) || a == sum(uniform(t, p, 4)) {
		t.Error("the digest doesn't name the images")
	}
	gaussian, _, err := Open(p, "gaussian", Options{Limit: 5, Noise: p.Noise()})
	if err != nil || sum(gaussian) == sum(uniform(t, p, 5)) {
		t.Errorf("two kinds of noise, one digest: %v", err)
	}
}

// Gaussian noise is cut off at ±1: with a deviation of 2 a share of 2·(1−Φ(½)) = 61.7 % of the
// values lies there; among 20·3072 the standard deviation is 0.2 %.
func TestGaussianNoise(t *testing.T) {
	p := predicttest.Official(t)
	images, _, err := Open(p, "gaussian", Options{Limit: 20, Noise: p.Noise()})
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, feed.EvalBatch*3072), make([]int32, feed.EvalBatch)
	n, edge := images.Batch(0, x, y), 0
	for _, v := range x[:n*3072] {
		if v < -1 || v > 1 {
			t.Fatalf("pixel %g", v)
		}
		if v == 1 || v == -1 {
			edge++
		}
	}
	if share := float64(edge) / float64(n*3072); n != 20 || math.Abs(share-0.617) > 0.01 {
		t.Errorf("%d images, %.3f of the values at the edges", n, share)
	}
}

func TestOpenFindsPicturesAndSaysWhatIsMissing(t *testing.T) {
	p := predicttest.Official(t)
	p.Config.Data.Dir = t.TempDir()
	img := image.NewGray(image.Rect(0, 0, 40, 33))
	img.SetGray(1, 1, color.Gray{200})
	if err := picture.WritePNG(filepath.Join(p.Config.Data.Dir, "a.png"), img); err != nil {
		t.Fatal(err)
	}
	images, _, err := Open(p, "folder:"+p.Config.Data.Dir, Options{Noise: p.Noise()})
	if err != nil || images.Len() != 1 {
		t.Errorf("got %v", err)
	}
	for name, kind := range map[string]error{
		"textures": fault.ErrMissing, "folder:" + t.TempDir(): fault.ErrMissing, "cifar10": fault.ErrBad, "interp": fault.ErrMissing,
	} {
		if _, _, err := Open(p, name, Options{Noise: p.Noise()}); !errors.Is(err, kind) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	p.Config.Data.Name = data.Folder // no place to put a published set into
	t.Setenv("JEM_DATA_DIR", t.TempDir())
	if _, _, err := Open(p, "cifar100", Options{Noise: p.Noise()}); err != nil && strings.Contains(err.Error(), p.Config.Data.Dir) {
		t.Errorf("the user's pictures are to hold a published set: %v", err)
	}
	if _, _, err := Open(p, "nosuch", Options{}); err == nil {
		t.Error("an unknown set was opened")
	}
}

// Pictures lie class by class, whichever way they are named: a limit takes from all folders alike.
func TestLimitOfPicturesIsOfAllFolders(t *testing.T) {
	p := predicttest.Official(t)
	p.Config.Data.Dir = t.TempDir()
	for y, folder := range []string{"textures/black", "textures/white"} {
		for i := range 3 {
			img := image.NewGray(image.Rect(0, 0, 32, 32))
			img.SetGray(0, 0, color.Gray{uint8(255 * y)})
			path := filepath.Join(p.Config.Data.Dir, folder, fmt.Sprintf("%d.png", i))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := picture.WritePNG(path, img); err != nil {
				t.Fatal(err)
			}
		}
	}
	images, labels := make([]float32, feed.EvalBatch*3*32*32), make([]int32, feed.EvalBatch)
	for _, name := range []string{"textures", "folder:" + p.Config.Data.Dir + "/textures"} {
		set, _, err := Open(p, name, Options{Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		if n := set.Batch(0, images, labels); n != 2 || images[0] != -1 || images[3*32*32] != 1 {
			t.Errorf("%s: %d images, labels %v", name, n, labels[:n])
		}
	}
}

// none is a set without images.
type none struct{}

func (none) Len() int                          { return 0 }
func (none) Batches() int                      { return 0 }
func (none) Batch(int, []float32, []int32) int { return 0 }
