package ood

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"path/filepath"
	"slices"
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
	images, _, err := Open(p, "uniform", n, p.Noise())
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
		if err := r.Add(Set{Set: name}, in, in); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.Figures) != 30 || len(r.Groups) != 20 || r.Groups[0].Group != "near" || r.Groups[0].AUROC != 0.5 || r.Sets[2].Group != "" {
		t.Errorf("%d figures, groups %+v", len(r.Figures), r.Groups)
	}
}

func TestScorerRefuses(t *testing.T) {
	p := predicttest.Official(t)
	if _, _, err := NewScorer(context.Background(), p, p.Noise(), Options{Scores: []string{"pxy"}}, nil); err == nil {
		t.Error("an unknown score was accepted")
	}
	s, _, err := NewScorer(context.Background(), p, p.Noise(), Options{Scores: Published}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Score(context.Background(), "none", none{}, nil); !errors.Is(err, fault.Missing) {
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
	gaussian, _, err := Open(p, "gaussian", 5, p.Noise())
	if err != nil || sum(gaussian) == sum(uniform(t, p, 5)) {
		t.Errorf("two kinds of noise, one digest: %v", err)
	}
}

// Gaussian noise is cut off at ±1: with a deviation of 2 a share of 2·(1−Φ(½)) = 61.7 % of the
// values lies there; among 20·3072 the standard deviation is 0.2 %.
func TestGaussianNoise(t *testing.T) {
	p := predicttest.Official(t)
	images, _, err := Open(p, "gaussian", 20, p.Noise())
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

// Pictures of another size, and grey ones, become what the network takes.
func TestOpenOODFits(t *testing.T) {
	grey := &data.Set{C: 1, H: 28, W: 28, Labels: []int32{0}, Pixels: make([]uint8, 784)}
	for i := range grey.Pixels {
		grey.Pixels[i] = 100
	}
	got := fitted(grey, 3, 32)
	if got.C != 3 || got.H != 32 || len(got.Pixels) != 3072 || slices.ContainsFunc(got.Pixels, func(v uint8) bool { return v != 100 }) {
		t.Errorf("grey to colour: %d×%d×%d", got.C, got.H, got.W)
	}
	colour := &data.Set{C: 3, H: 8, W: 8, Labels: []int32{0}, Pixels: make([]uint8, 192)}
	for i := range 64 {
		colour.Pixels[i] = 255 // red has a luma of 0.299
	}
	got = fitted(colour, 1, 8)
	if got.C != 1 || len(got.Pixels) != 64 || got.Pixels[0] < 75 || got.Pixels[0] > 77 {
		t.Errorf("colour to grey: %v", got.Pixels[:3])
	}
	if same := fitted(colour, 3, 8); same != colour {
		t.Error("what fits was copied")
	}
}

func TestOpenOODFindsPicturesAndSaysWhatIsMissing(t *testing.T) {
	p := predicttest.Official(t)
	p.Config.Data.Dir = t.TempDir()
	img := image.NewGray(image.Rect(0, 0, 40, 33))
	img.SetGray(1, 1, color.Gray{200})
	if err := picture.WritePNG(filepath.Join(p.Config.Data.Dir, "a.png"), img); err != nil {
		t.Fatal(err)
	}
	images, _, err := Open(p, "folder:"+p.Config.Data.Dir, 0, p.Noise())
	if err != nil || images.Len() != 1 {
		t.Errorf("got %v", err)
	}
	for name, kind := range map[string]error{
		"textures": fault.Missing, "folder:" + t.TempDir(): fault.Missing, "cifar10": fault.Bad, "interp": fault.Missing,
	} {
		if _, _, err := Open(p, name, 0, p.Noise()); !errors.Is(err, kind) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, _, err := Open(p, "nosuch", 0, p.Noise()); err == nil {
		t.Error("an unknown set was opened")
	}
}

// none is a set without images.
type none struct{}

func (none) Len() int                          { return 0 }
func (none) Batches() int                      { return 0 }
func (none) Batch(int, []float32, []int32) int { return 0 }
