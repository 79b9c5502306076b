package verdict

import (
	"context"
	"math"
	"slices"
	"testing"

	"jem/feed"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/serve/batch"
)

// sums calls unusual what has a log p(x) below 1, or whose features sum up to less than 0.
type sums struct{ features bool }

func (s sums) About() About         { return About{Score: "sums", Threshold: 1} }
func (s sums) Asked() predict.Asked { return predict.Asked{Mass: true, Features: s.features} }

func (s sums) Judge(all *predict.Scores) (v []Verdict, err error) {
	for i := range all.LogPx {
		score := float64(all.LogPx[i] + all.ApproxMass[i])
		if s.features {
			for _, f := range all.Features[i*len(all.Features)/all.Len() : (i+1)*len(all.Features)/all.Len()] {
				score += float64(f)
			}
		}
		v = append(v, Verdict{Score: score, Unusual: score < 1})
	}
	return v, nil
}

func TestVerdictsAreOfTheirImages(t *testing.T) {
	answers := []batch.Answer{
		{Logits: []float32{1, 2}, LogPx: 3, Mass: -1, Features: []float32{-4, 1, 1}},
		{Logits: []float32{3, 4}, LogPx: 2, Mass: -2, Features: []float32{4, 0, 1}},
	}
	for features, want := range map[bool][]Verdict{false: {{2, 0, false}, {0, 0, true}}, true: {{0, 0, true}, {5, 0, false}}} {
		if got, err := Of(sums{features}, answers); err != nil || !slices.Equal(got, want) {
			t.Errorf("with features %v: %+v, %v", features, got, err)
		}
	}
	if got, err := Of(nil, answers); got != nil || err != nil {
		t.Errorf("without a rule: %v, %v", got, err)
	}
}

func TestProbabilitiesAreAtATemperature(t *testing.T) {
	room := make([]float32, 3)
	p := Probabilities(room, []float32{0, 1000, 1000 - 2*float32(math.Log(3))}, 2)
	for i, want := range []float64{0, 0.75, 0.25} { // e⁰ : e^−ln 3
		if math.Abs(float64(p[i])-want) > 1e-4 { // 1000 is known to 6e-5 in float32
			t.Errorf("class %d: %g, want %g", i, p[i], want)
		}
	}
}

func TestReference(t *testing.T) {
	s := Set{LogPx: []float32{1, 2, 2, 5}}
	for logPx, want := range map[float32]float64{0: 0, 1: 0.25, 2: 0.75, 4.9: 0.75, 5: 1} {
		if got := s.Share(logPx); got != want {
			t.Errorf("share up to %g: %g, want %g", logPx, got, want)
		}
	}
	if !math.IsNaN(Set{}.Share(1)) {
		t.Error("no images have a share")
	}
	if got := s.Histogram(1, 5, 4); !slices.Equal(got, []float64{0.25, 0.5, 0, 0.25}) {
		t.Errorf("histogram %v", got)
	}
	if got := (Set{LogPx: []float32{3, 3}}).Histogram(3, 3, 2); !slices.Equal(got, []float64{1, 0}) {
		t.Errorf("histogram of one value %v", got)
	}
	lo, hi, ok := Reference{Own: s, Unknown: []Set{{}, {LogPx: []float32{-1, 4}}}}.Range()
	if lo != -1 || hi != 5 || !ok {
		t.Errorf("range %g to %g, %v", lo, hi, ok)
	}
	if _, _, ok := (Reference{}).Range(); ok {
		t.Error("a range of nothing")
	}
}

// TestMeasureIsOfTheNetwork compares a set's log p(x) with Score's.
func TestMeasureIsOfTheNetwork(t *testing.T) {
	p := predicttest.Official(t)
	const n = 5
	s, err := Measure(context.Background(), p, "noise", predicttest.Noise(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	scores, err := p.Score(context.Background(), predict.Want{}, n, func(dst []float32) int {
		if given > 0 {
			return 0
		}
		given = predicttest.Noise(n).Batch(0, dst, make([]int32, feed.EvalBatch))
		return given
	}, nil)
	slices.Sort(scores.LogPx)
	if err != nil || s.Name != "noise" || s.Data == "" || !slices.Equal(s.LogPx, scores.LogPx) {
		t.Errorf("%+v, want %v, %v", s, scores.LogPx, err)
	}
}
