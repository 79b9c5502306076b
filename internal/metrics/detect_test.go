package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDetectionByHand(t *testing.T) {
	for _, tc := range []struct {
		name    string
		in, out []float64
		want    Detection
	}{
		{"apart", []float64{3, 4}, []float64{1, 2}, Detection{1, 0, 1, 1, 0, 0, 2, 2}},
		{"the wrong way round", []float64{1, 2}, []float64{3, 4}, Detection{0, 0, (1.0/3 + 2.0/4) / 2, (1.0/3 + 2.0/4) / 2, 1, 1, 2, 2}},
		{"all tied", []float64{1, 1, 1}, []float64{1}, Detection{0.5, 0, 0.75, 0.25, 1, 1, 3, 1}},
		{"one each", []float64{2}, []float64{1}, Detection{1, 0, 1, 1, 0, 0, 1, 1}},
		{"one tie of four pairs", []float64{3, 2}, []float64{2, 1}, Detection{0.875, math.Sqrt(1.0 / 32), (1 + 2.0/3) / 2, (1 + 2.0/3) / 2, 0.5, 0.5, 2, 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			detects(t, tc.in, tc.out, tc.want)
		})
	}
}

// detects holds what Detect says of scores to the figures wanted.
func detects(t *testing.T, in, out []float64, want Detection) {
	t.Helper()
	d, err := Detect(in, out)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AUROC", d.AUROC, want.AUROC)
	near(t, "AUROC's standard error", d.AUROCSE, want.AUROCSE)
	near(t, "AUPR in", d.AUPRIn, want.AUPRIn)
	near(t, "AUPR out", d.AUPROut, want.AUPROut)
	near(t, "FPR95", d.FPR95, want.FPR95)
	near(t, "FPR95 out", d.FPR95Out, want.FPR95Out)
	if d.In != want.In || d.Out != want.Out {
		t.Errorf("got %d and %d scores", d.In, d.Out)
	}
}

func TestScoresAreChecked(t *testing.T) {
	for name, side := range map[string][]float64{"none": nil, "NaN": {math.NaN()}, "infinite": {math.Inf(1)}} {
		_, err := Detect(side, []float64{1})
		refused(t, name+" in", err)
		_, err = Detect([]float64{1}, side)
		refused(t, name+" out", err)
	}
}

// scores draws numbers with many ties.
func scores(rng *rand.Rand, n, shift int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = float64(rng.IntN(30) + shift)
	}
	return s
}

// Only the order of scores counts, not their size, and not the order of images.
func TestDetectionIsInvariant(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	in, out := scores(rng, 300, 6), scores(rng, 200, 0)
	want := must(Detect(in, out))
	for name, f := range map[string]func(float64) float64{
		"exp": func(v float64) float64 { return math.Exp(v / 8) }, "affine": func(v float64) float64 { return 3*v - 100 }, "cube": func(v float64) float64 { return v * v * v },
	} {
		if got := must(Detect(mapped(in, f), mapped(out, f))); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	rng.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
	if got := must(Detect(in, out)); got != want {
		t.Errorf("shuffled: got %+v, want %+v", got, want)
	}
}

// Negated scores with the sides exchanged ask the same question; with the sides kept, the
// opposite one.
func TestOrientations(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	in, out := scores(rng, 100, 4), scores(rng, 150, 0)
	negate := func(v float64) float64 { return -v }
	d, e, f := must(Detect(in, out)), must(Detect(mapped(out, negate), mapped(in, negate))), must(Detect(out, in))
	if d.AUROC != e.AUROC || d.AUPRIn != e.AUPROut || d.AUPROut != e.AUPRIn || d.FPR95 != e.FPR95Out || d.FPR95Out != e.FPR95 {
		t.Errorf("got %+v and %+v", d, e)
	}
	near(t, "opposite AUROC", d.AUROC+f.AUROC, 1)
}

func mapped(s []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(s))
	for i, v := range s {
		out[i] = f(v)
	}
	return out
}
