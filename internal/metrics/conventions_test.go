package metrics

import (
	"math"
	"testing"
)

// What other libraries were seen to answer, November 2026, to inputs that tell their conventions
// apart; docs/conventions.md has the table. Where ours is another, the test says how the two are
// related.

// float32s allows for figures that a library computed in float32, of numbers around 1.
const float32s = 1e-6

func within32(t *testing.T, name string, got, want, bound float64) {
	t.Helper()
	if !(math.Abs(got-want) <= bound) {
		t.Errorf("%s: got %.15g, others have %.15g", name, got, want)
	}
}

// Confidences 0.35 wrong, 0.4 right, 0.4 wrong, 0.5 and 0.5 right in five bins: 0.4 is an edge.
func TestConfidenceOnAnEdge(t *testing.T) {
	p := table([]float64{.35, .33, .32}, []float64{.4, .3, .3}, []float64{.3, .4, .3}, []float64{.25, .25, .5}, []float64{.5, .25, .25})
	labels := []int{1, 0, 2, 2, 0}
	// uncertainty-calibration 0.1.4 with float64, ebmkit 0.16.0.
	near(t, "below", must(Reliable(p, labels, 5)).ECE(), 0.23)
	// torchmetrics 1.9.0, torch-uncertainty 0.13.0, probmetrics 1.3.0, netcal 1.4.0;
	// uncertainty-calibration with float32, whose 0.4 is larger than the edge.
	near(t, "above", must(ReliableOn(p, labels, 5, Above)).ECE(), 0.31)
	// Of equal count, three bins: uncertainty-calibration keeps equal confidences together as we do;
	// torch-uncertainty parts them (0.17), netcal has the edge above (0.31).
	near(t, "equal count", must(ReliableByMass(p, labels, 3)).ECE(), 0.23)
	// In float32 our 0.4 is above the edge as well.
	rounded := must(Flat(3, []float32{.35, .33, .32, .4, .3, .3, .3, .4, .3, .25, .25, .5, .5, .25, .25}))
	within32(t, "float32", must(Reliable(rounded, labels, 5)).ECE(), 0.31, float32s)
}

// Confidences 1 right, 1 wrong, 0.95 and 0.95 right.
func TestConfidenceOfOne(t *testing.T) {
	p := table([]float64{1, 0, 0}, []float64{0, 1, 0}, []float64{.025, .95, .025}, []float64{.025, .025, .95})
	labels := []int{0, 2, 1, 2}
	for _, bins := range []int{1, 10} {
		for _, edge := range []Edge{Below, Above} {
			// probmetrics 1.3.0, netcal 1.4.0, uncertainty-calibration 0.1.4, ebmkit 0.16.0. But
			// torchmetrics 1.9.0 and torch-uncertainty 0.13.0 give 0.275, for one bin as well:
			// there 1 has a bin of its own beyond the last.
			near(t, "ECE", must(ReliableOn(p, labels, bins, edge)).ECE(), 0.225)
		}
	}
}

// A class without labels changes nothing here, nor in torchmetrics 1.9.0, torch-uncertainty 0.13.0,
// uncertainty-calibration 0.1.4 and ebmkit 0.16.0 (0.15); probmetrics 1.3.0 leaves it out of the
// probabilities (0.25), netcal 1.4.0 refuses.
func TestCalibrationWithAClassUnseen(t *testing.T) {
	p := table([]float64{.6, .2, .2}, []float64{.2, .6, .2}, []float64{.6, .2, .2}, []float64{.2, .6, .2})
	near(t, "ECE", must(Reliable(p, []int{0, 1, 1, 1}, 10)).ECE(), 0.15)
}

func TestBrierIsTheSumOverClasses(t *testing.T) {
	p := table([]float64{.7, .2, .1}, []float64{.6, .3, .1}, []float64{.1, .8, .1}, []float64{.2, .2, .6})
	labels := []int{0, 1, 1, 2}
	// torch-uncertainty 0.13.0, probmetrics 1.3.0, scikit-learn 1.9.1 with three classes.
	near(t, "Brier", must(Brier(p, labels)), 0.325)
	// scikit-learn with scale_by_half=True, uncertainty-calibration 0.1.4 (eval_marginal_mse).
	near(t, "half", must(Brier(p, labels))/2, 0.1625)
	// Of two classes scikit-learn takes the half unasked: 0.065 here.
	two := table([]float64{.2, .8}, []float64{.7, .3})
	near(t, "two classes", must(Brier(two, []int{1, 0}))/2, 0.065)
}

// A label whose logit leads by 5 among three classes is right in three cases of four where
// exp(5/T) = 6.
func TestTemperatureDivides(t *testing.T) {
	logits := table([]float64{5, 0, 0}, []float64{0, 5, 0}, []float64{0, 0, 5}, []float64{5, 0, 0})
	ours := must(Temperature(logits, []int{0, 1, 2, 1}))
	near(t, "T", ours, 5/math.Log(6))
	for name, other := range map[string]struct{ got, bound float64 }{
		"torch-uncertainty 0.13.0, temperature": {2.7871, 4e-3}, // ends early
		"ebmkit 0.16.0":                         {2.7901, 1e-3}, // ends early
		"netcal 1.4.0, 1/temperature":           {1 / 0.35835074, 1e-5},
		"probmetrics 1.3.0, 1/invtemp_":         {1 / 0.35835189541381796, 1e-7},
		"scikit-learn 1.9.1, 1/beta_":           {1 / 0.3583518941789154, 1e-7},
	} {
		within32(t, name, ours, other.got, other.bound)
	}
}

// Scores with ties, and what scikit-learn 1.9.1 makes of them (roc_auc_score,
// average_precision_score, the first point of roc_curve with a rate of at least 0.95), in the
// orientation of Detect. The trapezoids of pytorch-ood 0.4.0 are larger where scores tie, and
// oodeel 0.4.0 has an FPR95 of 0 for scores that are all equal. The standard error, which none of them
// has, is from a dozen lines of Python that compare every pair.
func TestDetectionAgainstOthers(t *testing.T) {
	equal := func(n int) []float64 { return make([]float64, n) }
	steps := func(lo, n, width int) (s []float64) {
		for i := range n {
			s = append(s, float64((lo+i)/width))
		}
		return s
	}
	shifted := func() (s []float64) {
		for i := range 100 {
			s = append(s, float64(i)-50.5)
		}
		return s
	}
	for name, c := range map[string]struct {
		in, out []float64
		want    Detection // the trapezoids of pytorch-ood: 0.95 and 0.55; 0.75, 0.75; 0.9167, 0.9167; 0.7137, 0.7137; 0.8895, 0.8895
	}{
		"nine and one equal": {equal(9), equal(1), Detection{0.5, 0, 0.9, 0.1, 1, 1, 9, 1}},
		"ten and ten equal":  {equal(10), equal(10), Detection{0.5, 0, 0.5, 0.5, 1, 1, 10, 10}},
		"one tie":            {[]float64{3, 2}, []float64{2, 1}, Detection{0.875, math.Sqrt(1.0 / 32), 5.0 / 6, 5.0 / 6, 0.5, 0.5, 2, 2}},
		"rounded":            {steps(4, 20, 2), steps(0, 20, 2), Detection{0.68, 0.08435513898799651, 0.6914484126984126, 0.6914484126984126, 0.8, 0.8, 20, 20}},
		"without ties":       {steps(0, 100, 1), shifted(), Detection{0.8775, 0.022660761262810667, 0.8900655135982442, 0.8900655135982442, 0.44, 0.44, 100, 100}},
	} {
		t.Run(name, func(t *testing.T) { detects(t, c.in, c.out, c.want) })
	}
}

// Log-densities that are far apart: torchmetrics 1.9.0 passes scores outside [0,1] through a
// sigmoid, which makes those above some 17 (float32) or 37 (float64) equal: AUROC 0.5.
func TestLargeScoresDoNotTie(t *testing.T) {
	near(t, "AUROC", must(Detect([]float64{50, 51}, []float64{40, 41})).AUROC, 1)
}

// lcg makes n×d numbers from a linear congruential generator, each the sum of three uniform ones,
// as the script did whose features the libraries got.
func lcg(n, d int, seed uint64) Table {
	t := Table{N: n, K: d, Data: make([]float64, n*d)}
	for i := range t.Data {
		for range 3 {
			seed = seed*6364136223846793005 + 1442695040888963407
			t.Data[i] += float64(seed>>40) / (1 << 24)
		}
	}
	return t
}

// Samples of one distribution: all of the distance is bias, and most of it where there are fewer
// of them than 17 for 16 features. clean-fid 0.1.35, torch-fidelity 0.4.0, torchmetrics 1.9.0 and
// ebmkit 0.16.0 agree to 4e-7 and warn of nothing.
func TestFrechetOfFewSamples(t *testing.T) {
	for _, c := range []struct {
		x, y int
		want float64 // of torch-fidelity
	}{{6, 9, 5.036346261483777}, {200, 6, 4.667568942871812}, {200, 17, 1.5401463898609942}, {200, 100, 0.3365351535249017}} {
		within32(t, "distance", must(FrechetDistance(lcg(c.x, 16, 1), lcg(c.y, 16, 2))), c.want, 4e-7)
	}
	// To itself the first three are below 0, by up to 1e-7.
	x := lcg(6, 16, 1)
	if d := must(FrechetDistance(x, x)); d < 0 || d > 1e-6 {
		t.Errorf("to itself: %g", d)
	}
}

// torch-fidelity 0.4.0, torchmetrics 1.9.0 and clean-fid 0.1.35 with subsets as large as the sets, so
// that drawing them changes nothing. By themselves they draw 100 subsets of 1000, which the first
// two refuse here and clean-fid makes smaller.
func TestKIDIsOfAllPairs(t *testing.T) {
	x, y := lcg(20, 4, 3), lcg(20, 4, 4)
	for i := range y.Data {
		y.Data[i] += 0.5
	}
	near(t, "KID", must(KID(x, y)), 22.163057288179992)
}

// Seven rows in splits. torch-fidelity 0.4.0 without shuffling cuts as we do and has our
// deviation; torchmetrics 1.9.0 cuts into chunks of ⌈7/splits⌉, four of five asked for, has the
// deviation with n−1 (NaN for one split), and shuffles by a generator of its own. ebmkit 0.16.0
// has one split.
func TestInceptionScoreSplits(t *testing.T) {
	p := table([]float64{.9, .05, .05}, []float64{.05, .9, .05}, []float64{.05, .05, .9},
		[]float64{.6, .3, .1}, []float64{.1, .6, .3}, []float64{.3, .1, .6}, []float64{.8, .1, .1})
	for splits, want := range map[int][2]float64{
		1: {1.5585380673343459, 0},
		2: {1.644312598144755, 0.37794517601545263},
		3: {1.4505253650895809, 0.11169966248399466},
		5: {1.1239867376105348, 0.17539383865695887},
	} {
		score, deviation, err := InceptionScore(p, splits)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "score", score, want[0])
		near(t, "deviation", deviation, want[1])
	}
}
