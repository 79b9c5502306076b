package metrics

import (
	"math"
	"slices"
)

// Detection says how well a score tells in-distribution images from others. The score is
// meant to be higher in the distribution; an AUROC below one half says that it is lower.
type Detection struct {
	AUROC    float64 `json:"auroc"`
	AUROCSE  float64 `json:"auroc_se"` // its standard error
	AUPRIn   float64 `json:"aupr_in"`  // in-distribution images are the positives
	AUPROut  float64 `json:"aupr_out"` // the others are, by the negated score
	FPR95    float64 `json:"fpr95"`    // share of others taken for in-distribution at the threshold that takes 95 % of those
	FPR95Out float64 `json:"fpr95_out"`
	In       int     `json:"in"` // images
	Out      int     `json:"out"`
}

// Detect compares the scores of in-distribution images with those of others.
//
// AUROC is the probability that an in-distribution score exceeds another's, with half credit
// for ties (Mann and Whitney). Its standard error is that of DeLong, DeLong and Clarke-Pearson
// (1988): what other images of the same kinds would change, not other seeds of the training. It is
// 0 where the scores are wholly apart, and leaves out the part of a side of one image. AUPR is average precision, Σ (recall_i − recall_{i−1})·precision_i
// over distinct thresholds, without interpolation. FPR95 is the false-positive rate at the
// first (highest) threshold whose true-positive rate is at least 0.95; FPR95Out the same with
// the others as positives and the score negated.
func Detect(in, out []float64) (Detection, error) {
	if len(in) == 0 || len(out) == 0 {
		return Detection{}, inputf("%d in-distribution and %d other scores, want some of both", len(in), len(out))
	}
	for _, side := range [][]float64{in, out} {
		for i, v := range side {
			if !finite(v) {
				return Detection{}, inputf("score %d is %v", i, v)
			}
		}
	}
	d := Detection{In: len(in), Out: len(out)}
	steps := thresholds(in, out)
	d.AUROC, d.AUPRIn, d.FPR95 = curve(steps, len(in), len(out))
	d.AUROCSE = standardError(steps, len(in), len(out))
	slices.Reverse(steps)
	for i, s := range steps {
		steps[i] = step{s.out, s.in}
	}
	_, d.AUPROut, d.FPR95Out = curve(steps, len(out), len(in))
	return d, nil
}

// step counts the scores at one distinct value.
type step struct{ in, out int }

// thresholds lists the distinct scores in descending order.
func thresholds(in, out []float64) (steps []step) {
	a, b := slices.Sorted(slices.Values(in)), slices.Sorted(slices.Values(out))
	for i, j := len(a)-1, len(b)-1; i >= 0 || j >= 0; {
		at := top(a[:i+1], b[:j+1])
		var s step
		for ; i >= 0 && a[i] == at; i-- {
			s.in++
		}
		for ; j >= 0 && b[j] == at; j-- {
			s.out++
		}
		steps = append(steps, s)
	}
	return steps
}

// top is the larger of two ascending lists' last numbers; one list may be empty.
func top(a, b []float64) float64 {
	switch {
	case len(a) == 0:
		return b[len(b)-1]
	case len(b) == 0:
		return a[len(a)-1]
	}
	return max(a[len(a)-1], b[len(b)-1])
}

// curve walks down the thresholds; in counts the positives. Counts are whole numbers, so
// that nothing depends on the order of a sum but the average precision.
func curve(steps []step, positives, negatives int) (auroc, ap, fpr95 float64) {
	const recall = 0.95
	tp, fp, halves, met := 0, 0, 0, false
	for _, s := range steps {
		halves += s.in * (2*(negatives-fp-s.out) + s.out) // negatives below count twice, equal ones once
		tp += s.in
		fp += s.out
		if s.in > 0 {
			ap += float64(s.in) / float64(positives) * float64(tp) / float64(tp+fp)
		}
		if !met && float64(tp) >= recall*float64(positives) {
			met, fpr95 = true, float64(fp)/float64(negatives)
		}
	}
	return float64(halves) / 2 / float64(positives) / float64(negatives), ap, fpr95
}

// standardError is DeLong's of the AUROC: the variance of the mean, over the images of each side, of
// the share of the other side that an image is ranked rightly against.
func standardError(steps []step, in, out int) float64 {
	var ins, outs spread
	higher, lower := 0, out // in-distribution scores above a threshold, others at it and below
	for _, s := range steps {
		lower -= s.out
		ins.add((float64(lower)+float64(s.out)/2)/float64(out), s.in)
		outs.add((float64(higher)+float64(s.in)/2)/float64(in), s.out)
		higher += s.in
	}
	return math.Sqrt(ins.ofMean() + outs.ofMean())
}

// spread adds up numbers from 0 to 1.
type spread struct {
	n            int
	sum, squares float64
}

// add counts a number so many times.
func (s *spread) add(v float64, times int) {
	s.n += times
	s.sum += v * float64(times)
	s.squares += v * v * float64(times)
}

// ofMean is the sample variance of the mean; 0 of one number, which tells none.
func (s *spread) ofMean() float64 {
	if s.n < 2 {
		return 0
	}
	n := float64(s.n)
	return max(0, s.squares-s.sum*s.sum/n) / (n - 1) / n
}
