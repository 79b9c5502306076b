package quality

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"jem/internal/data"
	"jem/internal/metrics"
	"jem/predict"
	"jem/predict/predicttest"
)

// Of each predicted class the most confident share, rounded down; of equals the first.
func TestConfidentShares(t *testing.T) {
	s := &predict.Samples{
		Class:      []int{1, 0, 1, 1, 0, 1, 2},
		Confidence: []float64{0.5, 0.9, 0.7, 0.7, 0.8, 0.6, 1},
	}
	for share, want := range map[float64][]int{0.9: {1, 2, 3, 5}, 0.5: {1, 2, 3}, 0.1: nil, 1: {0, 1, 2, 3, 4, 5, 6}} {
		if got := top(s, share); !slices.Equal(got, want) {
			t.Errorf("share %g: got %v, want %v", share, got, want)
		}
	}
}

// brightness is a network whose features are the means of an image's three channels.
type brightness struct{ published bool }

func (b brightness) About() About {
	return About{Name: "brightness", Published: b.published, Mode: "plain", Features: 3}
}

func (brightness) Run(images []float32) (features, logits []float32, err error) {
	const plane = 32 * 32
	for ; len(images) > 0; images = images[plane:] {
		sum := float32(0)
		for _, v := range images[:plane] {
			sum += v
		}
		features = append(features, sum/plane)
	}
	return features, features, nil
}

// judged is a judging of generated images that differ from the real ones in brightness.
func judged(t *testing.T, protocol string, n int) *judging {
	t.Helper()
	real := &data.Set{C: 3, H: 32, W: 32, Labels: make([]int32, 150), Pixels: make([]uint8, 150*3072)}
	for i := range real.Pixels {
		real.Pixels[i] = uint8(i / 1024 * 37)
	}
	drawn := &predict.Samples{Channels: 3, Size: 32, Images: make([]float32, n*3072)}
	for i := range drawn.Images {
		drawn.Images[i] = float32(math.Sin(float64(i / 1024 * 5)))
	}
	for i := range n {
		drawn.Class, drawn.Confidence = append(drawn.Class, i%10), append(drawn.Confidence, float64(i)/float64(n))
	}
	return &judging{
		p: predicttest.Official(t), o: Options{Protocol: protocol}, drawn: drawn, real: []*data.Set{real},
		result: &Result{Real: real.Len()},
	}
}

// TestFiguresAreThoseOfTheSelection computes each figure again from the features of the images
// that it is said to be of.
func TestFiguresAreThoseOfTheSelection(t *testing.T) {
	j := judged(t, "followers", 230)
	if err := j.network(context.Background(), brightness{published: true}); err != nil {
		t.Fatal(err)
	}
	table := func(images []float32, index []int) metrics.Table {
		var rows []float32
		for _, i := range index {
			f, _, _ := brightness{}.Run(images[i*3072 : (i+1)*3072])
			rows = append(rows, f...)
		}
		x, err := metrics.Flat(3, rows)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	set := j.real[0]
	pixels, every := make([]float32, set.Len()*3072), make([]int, set.Len())
	for i := range every {
		every[i] = i
		set.Scaled(pixels[i*3072:(i+1)*3072], i)
	}
	real, best, sure := table(pixels, every), table(j.drawn.Images, top(j.drawn, 0.9)), table(j.drawn.Images, top(j.drawn, 0.1))
	fid, err := metrics.FrechetDistance(real, best)
	if err != nil {
		t.Fatal(err)
	}
	probabilities, err := metrics.Softmax(sure)
	if err != nil {
		t.Fatal(err)
	}
	score, _, err := metrics.InceptionScore(probabilities, 1)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range j.result.Figures {
		names = append(names, f.Name)
	}
	if want := []string{"FID", "Inception Score", "FID", "Inception Score", "KID", "precision", "recall"}; !slices.Equal(names, want) {
		t.Fatalf("figures %v, want %v", names, want)
	}
	// The moments come in other batches, so that sums of 230 terms round differently.
	if f := j.result.Figures[0]; math.Abs(*f.Value-fid) > 1e-9*fid || f.Images != 200 || f.Against != 150 {
		t.Errorf("FID %v of %d images, want %v of 200", *f.Value, f.Images, fid)
	}
	if f := j.result.Figures[1]; *f.Value != score || f.Images != 20 || f.Splits != 1 {
		t.Errorf("Inception Score %v of %d images, want %v of 20", *f.Value, f.Images, score)
	}
	if f := j.result.Figures[2]; f.Images != 230 || *f.Value == fid {
		t.Errorf("unfiltered FID %v of %d images", *f.Value, f.Images)
	}
}

// TestOnlyPublishedWeightsGiveFID: nor does a classifier, and too few samples give nothing.
func TestOnlyPublishedWeightsGiveFID(t *testing.T) {
	j := judged(t, "dat", 60)
	if err := j.network(context.Background(), brightness{}); err != nil {
		t.Fatal(err)
	}
	if err := j.network(context.Background(), NewClassifier(j.p)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range j.result.Figures {
		names = append(names, f.Name)
	}
	const unpublished = " in features of Inception with unpublished weights"
	want := []string{
		"distance" + unpublished, "score" + unpublished, "kernel distance" + unpublished, "precision" + unpublished, "recall" + unpublished,
		"classifier-feature distance", "classifier-feature kernel distance", "classifier-feature precision", "classifier-feature recall",
	}
	if !slices.Equal(names, want) {
		t.Errorf("figures %v\nwant %v", names, want)
	}
	j = judged(t, "followers", enough-1)
	j.o.NoInception = "weights missing"
	j.withoutInception()
	if err := j.network(context.Background(), NewClassifier(j.p)); err != nil {
		t.Fatal(err)
	}
	for _, f := range j.result.Figures {
		if f.Value != nil || f.Missing == "" {
			t.Errorf("%s of %d images is %v", f.Name, f.Images, f.Value)
		}
	}
}

// TestFewImagesAreSaid: a covariance of 3 features wants 4 images; a classifier's of 64 more than
// there are.
func TestFewImagesAreSaid(t *testing.T) {
	j := judged(t, "dat", 60)
	for _, n := range []Network{brightness{published: true}, NewClassifier(j.p)} {
		if err := j.network(context.Background(), n); err != nil {
			t.Fatal(err)
		}
	}
	said := j.result.Cautions()
	if len(said) != 1 || said[0] != "classifier-feature distance of all: 60 samples are too few for the covariance of 64 features, so the distance is mostly bias; compare it only with one of as many, or take more than 64" {
		t.Errorf("got %q", said)
	}
	if s := fewer(About{Features: 2048}, 9000, 2048); !strings.Contains(s, "2048 real images") {
		t.Errorf("got %q", s)
	}
	if s := fewer(About{Features: 2048}, 2049, 2049); s != "" {
		t.Errorf("got %q", s)
	}
}

// TestChainsFollowTheirClasses: a class climbs, guidance 0 is none, and a film's last frame is
// what Sample draws.
func TestChainsFollowTheirClasses(t *testing.T) {
	j := judged(t, "dat", 1)
	o := predict.SampleOptions{N: 12, Steps: 7, Fresh: true, Class: predict.EachClass, Seed: 3}
	var drawn []float32
	draw := func(o predict.SampleOptions) []float32 {
		drawn = nil
		if err := j.p.Draw(context.Background(), o, func(images, _ []float32) error { drawn = append(drawn, images...); return nil }); err != nil {
			t.Fatal(err)
		}
		return drawn
	}
	each := slices.Clone(draw(o))
	film, err := j.p.Animate(context.Background(), o, 3)
	if err != nil {
		t.Fatal(err)
	}
	var steps []int
	for _, f := range film {
		steps = append(steps, f.Step)
	}
	if !slices.Equal(steps, []int{0, 3, 6, 7}) || !slices.Equal(film[3].Images, each) {
		t.Errorf("frames after steps %v; the last is what is drawn: %v", steps, slices.Equal(film[3].Images, each))
	}
	one := o
	one.Class = 2
	pixels := len(each) / o.N
	if got := draw(one); !slices.Equal(got[2*pixels:3*pixels], each[2*pixels:3*pixels]) || slices.Equal(got[:pixels], each[:pixels]) {
		t.Error("chain 2 of each class is not that of class 2, or chain 0 is")
	}
	o.Guidance = 2
	if slices.Equal(draw(o), each) {
		t.Error("guidance changes nothing")
	}
}
