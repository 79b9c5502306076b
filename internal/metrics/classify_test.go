package metrics

import (
	"errors"
	"math"
	"testing"
)

// tiny allows for the rounding of a few dozen float64 operations on numbers around 1.
const tiny = 1e-12

func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tiny*max(1, math.Abs(want))) {
		t.Errorf("%s: got %.15g, want %.15g", name, got, want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func table(rows ...[]float64) Table { return must(Rows(rows)) }

func refused(t *testing.T, name string, err error) {
	t.Helper()
	if !errors.Is(err, ErrInput) {
		t.Errorf("%s: got %v, want ErrInput", name, err)
	}
}

// Logits log 3 and 0 are probabilities 3/4 and 1/4.
func TestClassificationByHand(t *testing.T) {
	logits := table([]float64{math.Log(3), 0}, []float64{math.Log(3), 0})
	labels := []int{0, 1}
	p := must(Softmax(logits))
	near(t, "softmax", p.Row(0)[0], 0.75)
	near(t, "accuracy", must(Accuracy(logits, labels)), 0.5)
	near(t, "NLL", must(NLL(logits, labels)), -(math.Log(0.75)+math.Log(0.25))/2)
	near(t, "Brier", must(Brier(p, labels)), (2*0.0625+2*0.5625)/2)
	near(t, "NLL at infinite temperature", must(NLLAt(logits, labels, 1e12)), math.Ln2)
}

func TestHugeLogitsDoNotOverflow(t *testing.T) {
	logits := table([]float64{1e6, 0, -1e6})
	near(t, "NLL", must(NLL(logits, []int{1})), 1e6)
	near(t, "softmax", must(Softmax(logits)).Row(0)[0], 1)
}

func TestAccuracyTakesTheFirstOfEquals(t *testing.T) {
	rows := table([]float64{1, 1})
	near(t, "first", must(Accuracy(rows, []int{0})), 1)
	near(t, "second", must(Accuracy(rows, []int{1})), 0)
}

func TestTablesAreChecked(t *testing.T) {
	for name, rows := range map[string][][]float64{
		"no rows": nil, "no columns": {{}}, "ragged": {{1, 2}, {3}}, "NaN": {{1, math.NaN()}}, "infinite": {{math.Inf(-1)}},
	} {
		_, err := Rows(rows)
		refused(t, name, err)
	}
	_, err := Flat(3, make([]float32, 4))
	refused(t, "no whole rows", err)
	_, err = Flat(1, []float32{float32(math.NaN())})
	refused(t, "NaN from a device", err)
	one := table([]float64{0.5, 0.5})
	for name, labels := range map[string][]int{"too few labels": nil, "negative label": {-1}, "label beyond": {2}} {
		_, err := NLL(one, labels)
		refused(t, name, err)
	}
	_, err = Brier(table([]float64{2, -1}), []int{0})
	refused(t, "no probabilities", err)
	for _, temperature := range []float64{0, -1, math.NaN()} {
		_, err = NLLAt(one, []int{0}, temperature)
		refused(t, "temperature", err)
	}
}

// Of two classes with logits (a,0), −log p(0) is log(1+e^−a): 0.5 and 1.5 nats have the mean 1, the standard
// deviation √½ and so the standard error ½.
func TestNLLError(t *testing.T) {
	at := func(nll float64) float64 { return -math.Log(math.Exp(nll) - 1) }
	logits := Table{N: 2, K: 2, Data: []float64{at(0.5), 0, at(1.5), 0}}
	if e, err := NLLError(logits, []int{0, 0}); err != nil || math.Abs(e-0.5) > 1e-12 { // rounding of a few operations
		t.Errorf("got %v, %v", e, err)
	}
	if _, err := NLLError(logits, []int{0, 2}); err == nil {
		t.Error("took a label that isn't one")
	}
}
