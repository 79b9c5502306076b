package ood

import (
	"math"
	"testing"
)

func TestShown(t *testing.T) {
	if got := Shown("px", []float64{-3}); got[0] != -3 {
		t.Errorf("log p(x) became %v", got)
	}
	got := Shown("pxgrad", []float64{-1, -math.E, 0})
	// The float nearest e has the logarithm 1 to 2⁻⁵³; math.Log is exact to an ulp.
	if got[0] != 0 || math.Abs(got[1]+1) > 1e-15 || math.IsInf(got[2], 0) || got[2] < 100 {
		t.Errorf("got %v", got)
	}
}
