package predict

import (
	"fmt"
	"math"
	"testing"

	"jem/model"
)

// TestJudgement judges images of one pixel, of two classes and of one that nobody has.
func TestJudgement(t *testing.T) {
	classes := []string{"a", "b", "c"}
	j := newJudgement(5, model.Config{Classes: 3, InC: 1, Size: 1})
	for i, image := range []struct {
		label  int
		logits []float32
	}{
		{0, []float32{2, 0, 0}},
		{0, []float32{0, 1, 0}},
		{1, []float32{0, 0, 3}},
		{0, []float32{0, 2, 0}},
		{1, []float32{1, 1, 0}}, // the first of equals
	} {
		j.add(i, []float32{float32(i)}, image.logits, image.label)
	}
	j.average()
	// One of five is right. The confidences are e²/(e²+2) twice, e/(e+2), e³/(e³+2) and e/(2e+1), the
	// first two in one of 15 bins, where half are right.
	sure := func(x float64) float64 { return math.Exp(x) / (math.Exp(x) + 2) }
	half := math.E / (2*math.E + 1)
	if mean := (2*sure(2) + sure(1) + sure(3) + half) / 5; math.Abs(j.Confidence-mean) > 1e-6 {
		t.Errorf("mean confidence %g, want %g", j.Confidence, mean)
	}
	if ece := (2*(sure(2)-0.5) + sure(1) + sure(3) + half) / 5; math.Abs(j.ECE-ece) > 1e-6 {
		t.Errorf("ECE %g, want %g", j.ECE, ece)
	}
	b := j.Breakdown(classes)
	if j.Accuracy.Accuracy != 0.2 || b.PerClass[0] != (ClassAccuracy{"a", 3, 1, 1. / 3}) || b.PerClass[2].Images != 0 || b.Confusion[0][1] != 2 || b.Confusion[1][0] != 1 {
		t.Errorf("got %+v", b)
	}
	if len(b.Mixups) != 3 || b.Mixups[0] != (Mixup{"a", "b", 2}) || b.Mixed("b", 3) != "a 1, c 1" || b.Mixed("b", 1) != "a 1" {
		t.Errorf("got %+v", b.Mixups)
	}
	want := []int{2, 3, 1, 4} // by p(answer|x): e³/(e³+2), e²/(e²+2), e/(e+2), e/(2e+1)
	for i, m := range b.Mistakes {
		if m.Image != want[i] || j.Mistakes[i].pixels[0] != float32(want[i]) {
			t.Errorf("mistake %d is image %d, want %d", i, m.Image, want[i])
		}
	}
	if e := math.Exp(3); math.Abs(b.Mistakes[0].Confidence-e/(e+2)) > 1e-6 { // logits are float32, sums float64
		t.Errorf("confidence %v", b.Mistakes[0].Confidence)
	}
	if worst, of := b.Worst(1); of != 2 || len(worst) != 1 || worst[0].Class != "b" {
		t.Errorf("got %+v of %d", worst, of)
	}
	if img, err := j.Draw(classes); err != nil || img == nil {
		t.Errorf("no picture: %v", err)
	}
}

// The worst are kept whatever their order, and no more than there is room for.
func TestMistakesAreBounded(t *testing.T) {
	j := newJudgement(100, model.Config{Classes: 2, InC: 3, Size: 1024})
	for i := range 100 {
		j.add(i, nil, []float32{0, float32(i*37%100) / 50}, 0)
	}
	if len(j.Mistakes) != 1 || j.Mistakes[0].Image != 27 {
		t.Errorf("%d kept, the first image %d", len(j.Mistakes), j.Mistakes[0].Image)
	}
	if img, err := newJudgement(1, model.Config{Classes: 2, InC: 1, Size: 8}).Draw([]string{"a", "b"}); img != nil || err != nil {
		t.Errorf("a picture of no mistakes: %v", err)
	}
}

// What the images of a class were taken for is known whatever the other classes did: of up to a hundred
// from the matrix, of more from the most frequent.
func TestMixedKnowsRareClasses(t *testing.T) {
	for _, k := range []int{60, 101} {
		j := newJudgement(k*k, model.Config{Classes: k, InC: 1, Size: 1})
		names := make([]string, k)
		for y := range k {
			names[y] = fmt.Sprint(y)
			for answer := range k {
				for range 2 - min(1, y/(k-1)) { // each for each, twice but of the last class
					j.Confusion.Add(y, answer)
				}
			}
		}
		want := "0 1, 1 1"
		if k > MatrixClasses {
			want = "" // rarer than a thousand others
		}
		if got := j.Breakdown(names).Mixed(names[k-1], 2); got != want {
			t.Errorf("%d classes: %q, want %q", k, got, want)
		}
	}
}
