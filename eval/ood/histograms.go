package ood

import "math"

// Shown are scores as histograms show them: −‖g‖ and squared distances as −log, as published,
// which leaves their order. Exactly 0 is shown as the least positive float32.
func Shown(score string, values []float64) []float64 {
	if score != "pxgrad" && score != "mahalanobis" {
		return values
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = -math.Log(max(-v, math.SmallestNonzeroFloat32))
	}
	return out
}
