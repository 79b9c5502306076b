package model

import (
	"math"
	"testing"

	"jem/backend/philox"
)

// Parameter counts derived from the published architecture (weights and biases of every
// convolution, and the linear head).
func TestParameterCounts(t *testing.T) {
	for _, tc := range []struct {
		depth, width, classes, channels int
		norm                            string
		want                            int
	}{
		{28, 10, 10, 3, "none", 36_471_338},
		{28, 10, 100, 3, "none", 36_471_338 + 90*641},
		{10, 1, 10, 3, "none", 77_706},
		{10, 1, 10, 1, "none", 77_706 - 2*9*16},
		{10, 1, 10, 3, "batch", 77_706 + 2*(16+16+16+32+32+64+64)},
	} {
		c := Config{Depth: tc.depth, Width: tc.width, Classes: tc.classes, InC: tc.channels, Size: 32, Norm: tc.norm, Slope: 0.2}
		got := 0
		for _, p := range c.layout().list {
			got += product(p.Shape)
		}
		if got != tc.want {
			t.Errorf("WRN-%d-%d, %d classes, %d channels, norm %s: %d parameters, want %d", tc.depth, tc.width, tc.classes, tc.channels, tc.norm, got, tc.want)
		}
	}
}

func TestConfigValidateReportsEveryFault(t *testing.T) {
	good := Config{Depth: 10, Width: 1, Classes: 10, InC: 3, Size: 32, Slope: 0.2}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := Config{Depth: 12, Width: 0, Classes: 1, InC: 2, Size: 30, Norm: "act", Dropout: 1, Slope: 0}
	joined, ok := bad.Validate().(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 8 {
		t.Errorf("want 8 faults, got %v", bad.Validate())
	}
}

// The coefficients must describe the derivative of the loss that Terms computes: for every
// choice of weights and parts, (c₀ + c₁·lse)·softmax + c₂·onehot against central
// differences of L. With h = 2⁻⁷ the difference's own error is h²/6·|L‴| ≤ 1.1e-5·|L‴|, and
// |L‴| stays below 4 for these weights; float32 logits move by exactly ±h.
func TestCoefIsTheDerivativeOfTerms(t *testing.T) {
	const k, h, tol = 5, 1.0 / 128, 5e-5
	for name, tc := range map[string]struct {
		o     Objective
		parts []Part
	}{
		"published":     {Objective{PX: 1, PYX: 1}, []Part{{DataPX, 3}, {ChainPX, 2}, {Labeled, 4}}},
		"shared stream": {Objective{PX: 0.3, PYX: 1, L2: 0.01}, []Part{{DataPX | Labeled, 3}, {ChainPX, 3}}},
		"joint":         {Objective{PXY: 1}, []Part{{Labeled, 3}, {ChainXY, 3}}},
		"everything":    {Objective{PX: 0.5, PYX: 2, PXY: 0.7, L2: 0.1}, []Part{{DataPX, 2}, {ChainPX, 3}, {Labeled, 2}, {ChainXY, 2}}},
		"softmax only":  {Objective{PYX: 1}, []Part{{Labeled, 4}}},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			for _, p := range tc.parts {
				n += p.N
			}
			logits, labels := make([]float32, n*k), make([]int32, n)
			philox.New(1, 0, philox.Test).FillNormal(logits)
			for i := range labels {
				labels[i] = int32(i % k)
			}
			for i := range logits { // multiples of 2⁻¹⁰, so that ±h is exact
				logits[i] = float32(math.Round(float64(logits[i])*1024) / 1024)
			}
			coef := tc.o.Coef(tc.parts)
			for i := range logits {
				got := gradient(logits, labels, coef, i, k)
				v := logits[i]
				logits[i] = v + h
				up := tc.o.Terms(tc.parts, logits, labels).L
				logits[i] = v - h
				down := tc.o.Terms(tc.parts, logits, labels).L
				logits[i] = v
				if want := (up - down) / (2 * h); math.Abs(got-want) > tol {
					t.Fatalf("∂L/∂logit[%d,%d]: coefficients give %g, differences %g", i/k, i%k, got, want)
				}
			}
		})
	}
}

func gradient(logits []float32, labels []int32, coef []float32, i, k int) float64 {
	n, y := i/k, i%k
	row := logits[n*k : (n+1)*k]
	lse := LogSumExp(row)
	g := (float64(coef[4*n]) + float64(coef[4*n+1])*lse + float64(coef[4*n+3])/(1+math.Exp(-lse))) * math.Exp(float64(row[y])-lse)
	if int(labels[n]) == y {
		g += float64(coef[4*n+2])
	}
	return g
}

func TestLogSumExpDoesNotOverflow(t *testing.T) {
	for _, tc := range []struct {
		row  []float32
		want float64
	}{
		{[]float32{0, 0}, math.Ln2},
		{[]float32{1e4, 1e4, 1e4}, 1e4 + math.Log(3)},
		{[]float32{-3e38, -3e38}, float64(float32(-3e38))},
		{[]float32{3e38, -3e38}, float64(float32(3e38))},
	} {
		if got := LogSumExp(tc.row); math.Abs(got-tc.want) > 1e-12*math.Abs(tc.want) {
			t.Errorf("LogSumExp(%v) = %v, want %v", tc.row, got, tc.want)
		}
	}
	if got := LogSumExp([]float32{0, float32(math.NaN())}); !math.IsNaN(got) {
		t.Errorf("a NaN logit gives %v", got)
	}
}
