package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Confidences 0.6 (wrong), 0.8 (right), 1 (right), 0.75 (right) in four bins: 0.75 lies on an edge
// and belongs to (0.5,0.75].
func TestReliabilityByHand(t *testing.T) {
	p := table([]float64{0.6, 0.4}, []float64{0.2, 0.8}, []float64{1, 0}, []float64{0.75, 0.25})
	r := must(Reliable(p, []int{1, 1, 0, 0}, 4))
	counts := []int{r[0].Count, r[1].Count, r[2].Count, r[3].Count}
	if !slices.Equal(counts, []int{0, 0, 2, 2}) {
		t.Fatalf("got counts %v", counts)
	}
	near(t, "accuracy of (0.5,0.75]", r[2].Accuracy, 0.5)
	near(t, "ECE", r.ECE(), 0.5*0.175+0.5*0.1)
	near(t, "MCE", r.MCE(), 0.175)
}

func TestAdaptiveBinsHoldEqualCounts(t *testing.T) {
	p := table([]float64{0.6, 0.4}, []float64{0.2, 0.8}, []float64{1, 0}, []float64{0.75, 0.25})
	r := must(ReliableByMass(p, []int{1, 1, 0, 0}, 2))
	if r[0].Count != 2 || r[1].Count != 2 || r[0].Hi != 0.75 {
		t.Fatalf("got %+v", r)
	}
	near(t, "adaptive ECE", r.ECE(), 0.5*math.Abs(0.5-0.675)+0.5*0.1)
	tied := table([]float64{0.6, 0.4}, []float64{0.6, 0.4}, []float64{0.6, 0.4})
	r = must(ReliableByMass(tied, []int{0, 0, 1}, 3))
	if r[0].Count != 3 {
		t.Errorf("equal confidences were separated: %+v", r)
	}
}

// One image has an ECE of |1 − confidence| or of the confidence, whatever the bins.
func TestOneImage(t *testing.T) {
	p := table([]float64{0.7, 0.3})
	for _, bins := range []int{1, 10, 20} {
		near(t, "right", must(Reliable(p, []int{0}, bins)).ECE(), 0.3)
		near(t, "wrong", must(ReliableByMass(p, []int{1}, bins)).ECE(), 0.7)
	}
	_, err := Reliable(p, []int{0}, 0)
	refused(t, "no bins", err)
}

// The figures must not depend on the order of images, to the last bit for counts and ECE.
func TestCalibrationIgnoresTheOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var rows [][]float64
	var labels []int
	for range 200 {
		c := float64(rng.IntN(20)) / 20
		rows, labels = append(rows, []float64{c, 1 - c}), append(labels, rng.IntN(2))
	}
	want := must(Reliable(table(rows...), labels, 15)).ECE()
	adaptive := must(ReliableByMass(table(rows...), labels, 15)).ECE()
	rng.Shuffle(len(rows), func(i, j int) {
		rows[i], rows[j], labels[i], labels[j] = rows[j], rows[i], labels[j], labels[i]
	})
	if got := must(Reliable(table(rows...), labels, 15)).ECE(); got != want {
		t.Errorf("ECE: got %v, want %v", got, want)
	}
	if got := must(ReliableByMass(table(rows...), labels, 15)).ECE(); got != adaptive {
		t.Errorf("adaptive ECE: got %v, want %v", got, adaptive)
	}
}

// Two classes with logit difference d, right in a share a of cases, are calibrated where
// 1/(1+exp(−d/T)) = a, so T = d / log(a/(1−a)).
func TestTemperatureByHand(t *testing.T) {
	logits := table([]float64{5, 0}, []float64{5, 0}, []float64{5, 0}, []float64{5, 0})
	labels := []int{0, 0, 0, 1}
	temperature := must(Temperature(logits, labels))
	near(t, "temperature", temperature, 5/math.Log(3))
	near(t, "NLL there", must(NLLAt(logits, labels, temperature)), -(3*math.Log(0.75)+math.Log(0.25))/4)
	_, err := Temperature(logits, []int{0, 0, 0, 0})
	refused(t, "all right", err)
	_, err = Temperature(logits, []int{1, 1, 1, 1})
	refused(t, "all wrong", err)
}

// Scaling the logits scales the temperature, and leaves the NLL at it.
func TestTemperatureFollowsTheScale(t *testing.T) {
	logits := table([]float64{2, 0, 1}, []float64{0, 3, 1}, []float64{1, 2, 4}, []float64{3, 1, 0})
	labels := []int{0, 1, 2, 1}
	scaled := Table{logits.N, logits.K, slices.Clone(logits.Data)}
	for i := range scaled.Data {
		scaled.Data[i] *= 8
	}
	near(t, "temperature", must(Temperature(scaled, labels)), 8*must(Temperature(logits, labels)))
}
