package predict_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"jem/backend/cpu"
	"jem/internal/allocs"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
)

// TestAnswersAreScores: an image's answers are those of Score to the bit, in a batch of any size, at any place
// of it, whatever else is asked.
func TestAnswersAreScores(t *testing.T) {
	for _, threads := range []int{1, 2} {
		t.Run(fmt.Sprint(threads), func(t *testing.T) {
			dev, err := cpu.Open(cpu.Options{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			defer dev.Close()
			p, _, err := predict.OpenFile(dev, predicttest.OfficialFile(), weights.Options{})
			if err != nil {
				t.Fatal(err)
			}
			answersAreScores(t, p)
		})
	}
}

func answersAreScores(t *testing.T, p *predict.Predictor) {
	const pixels = 3 * 32 * 32
	a := predict.NewAnswerer(p)
	defer a.Close()
	all := make([]float32, a.Rows()*pixels)
	predicttest.Noise(a.Rows()).Batch(0, all, make([]int32, a.Rows()))
	copy(all, p.Buffer()[:4*pixels])
	given := false
	s, err := p.Score(context.Background(), predict.Want{Features: true}, a.Rows(), func(dst []float32) int {
		if given {
			return 0
		}
		given = true
		return copy(dst, all) / pixels
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	features := len(s.Features) / s.Len()
	for _, n := range []int{1, 2, 3, 7, 8, 16, 17, 33, 64, 99, 100} {
		for _, asked := range []predict.Asked{{}, {Mass: true}, {Features: true}, {Gradient: true, Features: true}} {
			first := (a.Rows() - n) / 2 // another place than Score's
			copy(a.Images, all[first*pixels:(first+n)*pixels])
			got, err := a.Answer(n, asked)
			if err != nil {
				t.Fatal(err)
			}
			at := fmt.Sprintf("%d images, asked %+v", n, asked)
			same(t, at+": logits", got.Logits, s.Logits[first*s.Classes:(first+n)*s.Classes])
			same(t, at+": log p(x)", got.LogPx, s.LogPx[first:first+n])
			if asked.Backward() {
				same(t, at+": mass", got.Mass, s.ApproxMass[first:first+n])
			}
			if asked.Features {
				same(t, at+": features", got.Features, s.Features[first*features:(first+n)*features])
			}
			if asked.Backward() != (got.Mass != nil) || asked.Gradient != (got.Gradient != nil) || asked.Features != (got.Features != nil) {
				t.Errorf("%s: other answers than were asked for", at)
			}
		}
	}
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: other bits", what)
	}
}

// TestAnsweringAllocatesNothing once a number of images has come twice.
func TestAnsweringAllocatesNothing(t *testing.T) {
	a := predict.NewAnswerer(predicttest.Official(t))
	defer a.Close()
	for _, n := range []int{1, 9, 40} {
		for _, asked := range []predict.Asked{{}, {Gradient: true, Features: true}} {
			answer := func() {
				if _, err := a.Answer(n, asked); err != nil {
					t.Fatal(err)
				}
			}
			answer()
			if got := allocs.PerRun(3, answer); got != 0 {
				t.Errorf("%d images, asked %+v: %g allocations a batch", n, asked, got)
			}
		}
	}
}
