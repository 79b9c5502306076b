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
		"published":     {jem(1, 1, 0, 0), []Part{{DataPX, 3}, {ChainPX, 2}, {Labeled, 4}}},
		"shared stream": {jem(0.3, 1, 0, 0.01), []Part{{DataPX | Labeled, 3}, {ChainPX, 3}}},
		"joint":         {jem(0, 0, 1, 0), []Part{{Labeled, 3}, {ChainXY, 3}}},
		"everything":    {jem(0.5, 2, 0.7, 0.1), []Part{{DataPX, 2}, {ChainPX, 3}, {Labeled, 2}, {ChainXY, 2}}},
		"data or dream": {Objective{{BCE, 0.7, DataPX, Dreams}, {CE, 1, Attacked, 0}}, []Part{{DataPX, 3}, {Attacked, 2}, {Dreams, 4}}},
		"attacked":      {append(jem(1, 1, 0, 0), Term{CE, 1, Attacked, 0}, Term{ML, 0.1, DataPX, Attacked}), []Part{{DataPX, 2}, {ChainPX, 2}, {Labeled, 3}, {Attacked, 3}}},
		"softmax only":  {jem(0, 1, 0, 0), []Part{{Labeled, 4}}},
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

// jem is the objective of JEM with the given weights.
func jem(px, pyx, pxy, l2 float32) Objective {
	return Objective{{ML, px, DataPX, ChainPX}, {CE, pyx, Labeled, 0}, {Joint, pxy, Labeled, ChainXY}, {Square, l2, DataPX, ChainPX}}
}

// The cross-entropy of telling data from dreams is bounded below by 0 and its gradient by the
// weights, however far energies run; where both are told apart it vanishes.
func TestBCEIsBounded(t *testing.T) {
	o, parts := Objective{{BCE, 1, DataPX, Dreams}}, []Part{{DataPX, 1}, {Dreams, 1}}
	for _, v := range []float32{1, 30, 300, 3e4} {
		told := o.Terms(parts, []float32{v, v, -v, -v}, []int32{0, 0}).L
		missed := o.Terms(parts, []float32{-v, -v, v, v}, []int32{0, 0}).L
		if told < 0 || told > 2*math.Exp(math.Ln2-float64(v))+1e-9 && v > 1 || math.IsInf(missed, 0) || missed < float64(v) {
			t.Errorf("logits of ±%g: %g where told, %g where not", v, told, missed)
		}
	}
}

// The values go to their own names, and the whole is their weighted sum.
func TestTermsHaveTheirPlaces(t *testing.T) {
	o := append(jem(0.5, 2, 0, 0.125), Term{CE, 0.25, Attacked, 0}, Term{ML, 0.125, DataPX, Attacked}, Term{BCE, 4, DataPX, Dreams})
	parts := []Part{{DataPX, 1}, {ChainPX, 1}, {Labeled, 1}, {Attacked, 1}, {Dreams, 1}}
	logits := []float32{1, 2, 0, 1, 3, 0, 0, 2, -1, 1}
	v := o.Terms(parts, logits, []int32{0, 0, 0, 0, 0})
	lse := func(i int) float64 { return LogSumExp(logits[2*i : 2*i+2]) }
	for name, of := range map[string][2]float64{
		"p_x": {v.PX, lse(1) - lse(0)}, "p_y_given_x": {v.PYX, lse(2) - 3}, "attacked": {v.Attacked, lse(3) - 0},
		"attacked_p_x": {v.AttackedPX, lse(3) - lse(0)}, "bce": {v.BCE, softplus(-lse(0)) + softplus(lse(4))},
		"l2": {v.L2, lse(0)*lse(0) + lse(1)*lse(1)}, "samples": {v.LogPxNeg, lse(1)},
		"L": {v.L, 0.5*v.PX + 2*v.PYX + 0.125*v.L2 + 0.25*v.Attacked + 0.125*v.AttackedPX + 4*v.BCE},
	} {
		if math.Abs(of[0]-of[1]) > 1e-12 {
			t.Errorf("%s: %g, want %g", name, of[0], of[1])
		}
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
