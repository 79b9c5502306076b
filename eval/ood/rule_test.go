package ood

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
	"jem/predict/predicttest"
)

// judged scores a set of images and applies a rule to it.
func judged(t *testing.T, p *predict.Predictor, r *Rule, images feed.Images) []Verdict {
	t.Helper()
	ch, h, w := p.Shape()
	batch := 0
	s, err := p.Score(context.Background(), r.Wants(), images.Len(), func(dst []float32) int {
		if batch == images.Batches() {
			return 0
		}
		batch++
		return images.Batch(batch-1, dst, make([]int32, len(dst)/(ch*h*w)))
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Judge(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The rule's scores are the scorer's, p-values are ranks among the held-out images, and of these
// themselves the share asked for is unusual.
func TestRule(t *testing.T) {
	p := predicttest.WithImages(t)
	part, _, err := p.Source().Images("valid", 0)
	if err != nil {
		t.Fatal(err)
	}
	held := part.Images
	for _, name := range []string{"px", "pxgrad", "msp", "mahalanobis"} {
		r, _, err := FitRule(context.Background(), p, name, 0.2, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		all, _, err := r.scorer.Score(context.Background(), "held out", held, nil)
		if err != nil {
			t.Fatal(err)
		}
		unusual := 0
		for i, v := range judged(t, p, r, held) {
			if math.Abs(v.Score-all[name][i]) > 1e-5*(1+math.Abs(v.Score)) { // float32 on the way
				t.Errorf("%s: image %d scores %g, by the scorer %g", name, i, v.Score, all[name][i])
			}
			if v.Unusual != (v.P <= 0.2) || v.P < 1.0/21 || v.P > 1 {
				t.Errorf("%s: got %+v", name, v)
			}
			if v.Unusual {
				unusual++
			}
		}
		if r.HeldOut != 20 || unusual > 4 || unusual < 2 { // 4 of 20 and ties with float32
			t.Errorf("%s: %d of %d held-out images are unusual", name, unusual, r.HeldOut)
		}
	}
}

// A p-value counts the held-out scores that are no higher, and the image itself.
func TestVerdict(t *testing.T) {
	r := Rule{FalseAlarms: 0.25, HeldOut: 7, sorted: []float64{1, 2, 2, 2, 5, 6, 7}}
	for score, p := range map[float64]float64{0: 1. / 8, 1: 2. / 8, 1.5: 2. / 8, 2: 5. / 8, 5: 6. / 8, 9: 1} {
		if v := r.verdict(score); v.P != p || v.Unusual != (p <= 0.25) {
			t.Errorf("score %g: got %+v, want p = %g", score, v, p)
		}
	}
}

// TestRuleKeepsItsShare: over draws of held-out images and a new one of the same kind the
// share of false alarms is at most what was asked for, exactly ⌊α(n+1)⌋/(n+1) where nothing ties.
func TestRuleKeepsItsShare(t *testing.T) {
	const n, draws = 39, 20000
	r := Rule{FalseAlarms: 0.11, HeldOut: n}
	state := uint64(1)
	random := func() float64 { // a linear congruential generator: any order will do
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11) / (1 << 53)
	}
	alarms := 0
	for range draws {
		r.sorted = r.sorted[:0]
		for range n {
			r.sorted = append(r.sorted, random())
		}
		slices.Sort(r.sorted)
		if r.verdict(random()).Unusual {
			alarms++
		}
	}
	share, want := float64(alarms)/draws, 4./40
	if four := 4 * math.Sqrt(want*(1-want)/draws); math.Abs(share-want) > four {
		t.Errorf("%g of usual images are unusual, want %g ± %.4f", share, want, four)
	}
}

func TestRuleRefuses(t *testing.T) {
	p := predicttest.WithImages(t)
	computed := false
	if _, _, err := FitRule(context.Background(), p, "knn", 0.04, func(string, int, int) { computed = true }); !errors.Is(err, fault.ErrBad) || computed {
		t.Errorf("0.04 of 20 images: got %v, after computing: %v", err, computed)
	}
	if _, _, err := FitRule(context.Background(), p, "px", 0.04, nil); !errors.Is(err, fault.ErrBad) {
		t.Errorf("0.04 of 20 images: got %v", err)
	}
	p.Config.Data.Valid = 0
	if _, _, err := FitRule(context.Background(), p, "px", 0.5, nil); !errors.Is(err, fault.ErrMissing) {
		t.Errorf("nothing held out: got %v", err)
	}
}
