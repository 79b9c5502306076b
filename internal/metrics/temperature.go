package metrics

import "math"

// maxTemperature bounds the temperatures that Temperature finds: beyond it, and below its
// inverse, the optimum is at infinity or at 0 for practical purposes.
const maxTemperature = 1e4

// Temperature is the T > 0 that minimises the NLL of logits/T (Guo et al. 2017). The NLL is
// convex in 1/T, and its derivative
//
//	mean( Σ_k softmax(logits/T)[k]·logits[k] − logits[label] )
//
// grows with 1/T, so its zero is bracketed and halved to the last bit. Where every label has
// the largest logit the optimum is T = 0, where the labels' logits are on average no larger
// than others' it is infinite: both are errors, and so is a T outside [1e−4,1e4].
func Temperature(logits Table, labels []int) (float64, error) {
	if err := logits.labelled(labels); err != nil {
		return 0, err
	}
	lo, hi := math.Log(1/maxTemperature), math.Log(maxTemperature) // of 1/T
	switch {
	case slope(logits, labels, math.Exp(lo)) >= 0:
		return 0, inputf("the likelihood grows with the temperature beyond %g: the logits say nothing about the labels", maxTemperature)
	case slope(logits, labels, math.Exp(hi)) <= 0:
		return 0, inputf("the likelihood grows as the temperature goes to 0: every label has the largest logit")
	}
	for {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			return math.Exp(-mid), nil
		}
		if slope(logits, labels, math.Exp(mid)) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
}

// slope is the derivative of the NLL by the inverse temperature. It is summed as differences
// to the label's logit, which is exact to the last place where a row is saturated.
func slope(logits Table, labels []int, inverse float64) float64 {
	p, sum := make([]float64, logits.K), 0.0
	for n, y := range labels {
		row := logits.Row(n)
		softmax(p, row, inverse)
		for k, v := range row {
			sum += p[k] * (v - row[y])
		}
	}
	return sum / float64(logits.N)
}
