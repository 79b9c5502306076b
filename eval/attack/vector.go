package attack

import "math"

// Wrong reports whether the first largest logit is another than the label's.
func Wrong(logits []float32, label int32) bool {
	best := 0
	for k, v := range logits {
		if v > logits[best] {
			best = k
		}
	}
	return best != int(label)
}

// crossEntropy is −log softmax(logits)[label].
func crossEntropy(logits []float32, label int32) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range logits {
		top = max(top, float64(v))
	}
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum) - float64(logits[label])
}

func sign(v float32) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

func clamp(v, lo, hi float32) float32 { return min(max(v, lo), hi) }

// length is the Euclidean norm, summed in float64.
func length(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

func scale(x []float32, f float64) {
	for k, v := range x {
		x[k] = float32(f * float64(v))
	}
}
