package main

import (
	"context"
	"slices"
	"testing"

	"jem/eval/ood"
	"jem/predict/predicttest"
	"jem/serve/batch"
	"jem/serve/verdict"

	"jem/backend"
)

// TestServedVerdictsAreTheRules: by each score that rules, an image's verdict is what the rule says of its
// Score; temperature and reference are of the held-out images.
func TestServedVerdictsAreTheRules(t *testing.T) {
	p := predicttest.WithImages(t)
	const n, pixels = 7, 3 * 32 * 32
	images := make([]float32, 100*pixels)
	predicttest.Noise(n).Batch(0, images, make([]int32, 100))
	ctx := context.Background()
	for _, score := range []string{"px", "pxgrad", "mahalanobis"} {
		f, _, err := served{rule: score, falseAlarms: 0.2, unknown: []string{"uniform"}, limit: 10}.fit(ctx, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		if own := f.Reference.Own; len(own.LogPx) != 10 || len(f.Reference.Unknown) != 1 || len(f.Reference.Unknown[0].LogPx) != 10 || f.Temperature == 1 || f.Rule.About().HeldOut != 20 {
			t.Errorf("fitted %+v", f)
		}
		given := 0
		s, err := p.Score(ctx, f.Rule.(servedRule).Wants(), n, func(dst []float32) int {
			if given > 0 {
				return 0
			}
			copy(dst, images[:n*pixels])
			given = n
			return n
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := f.Rule.(servedRule).Rule.Judge(s)
		if err != nil {
			t.Fatal(err)
		}
		b, err := batch.Start(func() (backend.Device, *batch.Model, error) {
			return p.Device(), &batch.Model{Predictor: p, About: f}, nil
		}, batch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		answers, err := b.Submit(ctx, images[:n*pixels], f.Rule.Asked())
		if err != nil {
			t.Fatal(err)
		}
		got, err := verdict.Of(f.Rule, answers)
		if err != nil || !slices.EqualFunc(got, want, func(a verdict.Verdict, b ood.Verdict) bool { return ood.Verdict(a) == b }) {
			t.Errorf("by %s: %+v, want %+v, %v", score, got, want, err)
		}
		if err := b.Close(ctx); err != nil { // and with it the device
			t.Fatal(err)
		}
		p = predicttest.WithImages(t)
	}
}
