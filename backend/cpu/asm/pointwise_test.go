package asm

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"jem/backend/philox"
)

var testKey = philox.New(3, 1, philox.Test).At(17, 5)

// lengths straddle vectors, unrolled loops and groups of random numbers.
var lengths = []int{0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 8193}

// guard is a value that no kernel may overwrite behind the end of its operands.
const guard = 12345

// operand returns n normals of a stream of their own, with a guard behind them that
// guarded checks.
func operand(n, stream int) []float32 {
	x := make([]float32, n, n+1)
	testKey.At(stream, 0).FillNormal(x)
	x[:n+1][n] = guard
	return x
}

func guarded(x []float32) bool { return x[:len(x)+1][len(x)] == guard }

// fast runs f for each instruction set but the definition, on each length.
func fast(t *testing.T, f func(t *testing.T, k Pointwise, n int)) {
	onFastISAs(t, func(t *testing.T, isa ISA) {
		for _, n := range lengths {
			t.Run(strconv.Itoa(n), func(t *testing.T) { f(t, PointwiseFor(isa), n) })
		}
	})
}

// near fails unless got is within tol·max(1, |want|) of want everywhere and the guard is
// whole.
func near(t *testing.T, got, want []float32, tol float64) {
	t.Helper()
	if !guarded(got) {
		t.Fatal("written behind the end")
	}
	for i, g := range got {
		w := float64(want[i])
		if d := math.Abs(float64(g) - w); !(d <= tol*math.Max(1, math.Abs(w))) {
			t.Fatalf("element %d: got %v, want %v, difference %g > %g", i, g, w, d, tol)
		}
	}
}

const ulp = 1.0 / (1 << 23) // of 1

// A fused multiply-add rounds once instead of twice: values within 2⁻²⁴ relative of the
// product, |product| < 8 here, besides the rounding of the sum.
const fusedTolerance = 8 * ulp

func TestElementwise(t *testing.T) {
	generic := genericPointwise()
	fast(t, func(t *testing.T, k Pointwise, n int) {
		x, z := operand(n, 0), operand(n, 1)
		got, want := operand(n, 2), operand(n, 2)

		k.LeakyReLU(got, x, 0.2)
		generic.LeakyReLU(want, x, 0.2)
		near(t, got, want, 0) // one product, one maximum: exact
		k.LeakyReLUGrad(got, z, x, 0.2)
		generic.LeakyReLUGrad(want, z, x, 0.2)
		near(t, got, want, 0)
		k.Axpy(got, x, 0.7)
		generic.Axpy(want, x, 0.7)
		near(t, got, want, fusedTolerance)
		copy(want, got)
		k.AxpySquared(got, x, 0.02) // products below 8, as 0.02·4³
		generic.AxpySquared(want, x, 0.02)
		near(t, got, want, 2*fusedTolerance)
		copy(want, got)
		k.Lerp(got, x, 0.3)
		generic.Lerp(want, x, 0.3)
		near(t, got, want, fusedTolerance)
		copy(want, got)
		k.Clamp(got, -0.25, 0.5)
		generic.Clamp(want, -0.25, 0.5)
		near(t, got, want, 0)
		k.Drop(got, x, z, 0.1, 1.1)
		generic.Drop(want, x, z, 0.1, 1.1)
		near(t, got, want, 0)
	})
}

// Signs and boxes are exact, whatever the gradient and wherever the centre.
func TestMovesAreExact(t *testing.T) {
	generic := genericPointwise()
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.MaxFloat32, inf, -inf}
	fast(t, func(t *testing.T, k Pointwise, n int) {
		g := operand(n, 1)
		copy(g[n/3:], special)
		for _, a := range []float32{0.1, -0.1, 0} {
			got, want := operand(n, 0), operand(n, 0)
			k.Sign(got, g, a)
			generic.Sign(want, g, a)
			near(t, got, want, 0)
		}
		for _, c := range []Box{{0.3, -inf, inf}, {inf, -1, 1}, {0.5, 0, 0.25}, {0, -1, 1}} {
			got, want, centre := operand(n, 0), operand(n, 0), operand(n, 2)
			k.Box(got, centre, &c)
			generic.Box(want, centre, &c)
			near(t, got, want, 0)
		}
	})
}

func TestOptimizers(t *testing.T) {
	generic := genericPointwise()
	c := Adam{Scale: 0.5, Decay: 0.01, Beta1: 0.9, Rest1: 0.1, Beta2: 0.99, Rest2: 0.01, Rate: 0.1, Root: 1.5, Eps: 1e-3}
	s := SGD{Scale: 0.5, Decay: 0.01, Momentum: 0.9, Rate: 0.1}
	fast(t, func(t *testing.T, k Pointwise, n int) {
		var got, want [4][]float32
		for i := range got {
			got[i], want[i] = operand(n, i), operand(n, i)
		}
		for _, o := range [][]float32{got[3], want[3]} { // the second moment is not negative
			for i := range o {
				o[i] *= o[i]
			}
		}
		k.Adam(got[0], got[1], got[2], got[3], &c)
		generic.Adam(want[0], want[1], want[2], want[3], &c)
		for i := range got {
			// The step Rate·m/denominator is at most 100 (√v ≥ |g|·0.1 bounds m's new
			// part, eps the rest), and carries a few roundings; in these data below 8.
			near(t, got[i], want[i], 2*fusedTolerance)
		}
		for i := range got {
			copy(got[i], want[i])
		}
		k.SGD(got[0], got[1], got[2], &s)
		generic.SGD(want[0], want[1], want[2], &s)
		near(t, got[0], want[0], fusedTolerance)
		near(t, got[2], want[2], fusedTolerance)
	})
}

func stream() *Stream {
	s := new(Stream)
	s.Set(testKey)
	return s
}

// blocks are starts within a stream: the first, and one whose number needs 33 bits and
// whose lower half overflows within a group.
var blocks = []uint64{0, 5, 1<<32 - 3}

func TestUniformIsExact(t *testing.T) {
	fast(t, func(t *testing.T, k Pointwise, n int) {
		for _, block := range blocks {
			got, want := operand(n, 0), operand(n, 0)
			k.Uniform(got, stream(), block, -0.3, 1.7)
			uniform(want, stream(), block, -0.3, 1.7)
			near(t, got, want, 0)
		}
	})
}

// Radius and cosine are each within about 1.5·2⁻²³ relative of the definition (a logarithm
// below 1 ulp, halved by the root, which rounds; a polynomial below 1 ulp of a rounded
// argument), so their product within 4 ulp, 4.8e-7·max(1, |z|). The largest difference in
// 2²³ normals is 2.4e-7·max(1, |z|).
const normalTolerance = 4 * ulp

func TestNormalFollowsDefinition(t *testing.T) {
	fast(t, func(t *testing.T, k Pointwise, n int) {
		for _, block := range blocks {
			got, want := operand(n, 0), operand(n, 0)
			k.Normal(got, stream(), block, 0, 1)
			normal(want, stream(), block, 0, 1)
			near(t, got, want, normalTolerance)
		}
	})
}

func TestSGLD(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []SGLD{
		{Alpha: 0.7, Sigma: 0.1, Clip: 0.5, Lo: -1, Hi: 1},
		{Alpha: 0.7, Sigma: 0.1, Clip: inf, Lo: -inf, Hi: inf},
		{Alpha: 0, Sigma: 1, Clip: inf, Lo: -inf, Hi: inf},
	} {
		fast(t, func(t *testing.T, k Pointwise, n int) {
			g := operand(n, 1)
			for _, block := range blocks {
				got, want := operand(n, 0), operand(n, 0)
				k.SGLD(got, g, stream(), block, &c)
				sgld(want, g, stream(), block, &c)
				// |x + α·g| stays below 8; ε's error is scaled by |σ·ε| < 8.
				near(t, got, want, fusedTolerance+8*normalTolerance*float64(c.Sigma))
			}
			got, want := operand(n, 0), operand(n, 0)
			k.Drift(got, g, &c)
			drift(want, g, &c)
			near(t, got, want, fusedTolerance)
		})
	}
}

func TestSums(t *testing.T) {
	fast(t, func(t *testing.T, k Pointwise, n int) {
		x, y := operand(n, 0), operand(n, 1)
		// All terms are positive float64 with 29 bits to spare for n < 2¹⁴ of them.
		if got, want := k.SumSquares(x), sumSquares(x); math.Abs(got-want) > 1e-12*want {
			t.Errorf("SumSquares = %v, want %v", got, want)
		}
		if got, want := k.ProductSquares(x, y), productSquares(x, y); math.Abs(got-want) > 1e-12*want {
			t.Errorf("ProductSquares = %v, want %v", got, want)
		}
		var sum, scale float64
		for i := range x {
			p := float64(x[i]) * float64(y[i])
			sum += p
			scale += math.Abs(p)
		}
		// Sums of zero-mean products stay within 4·2⁻²⁴·Σ|ab| whatever their order.
		if got := float64(k.Dot(x, y)); math.Abs(got-sum) > 4*ulp/2*scale {
			t.Errorf("Dot = %v, want %v", got, sum)
		}
	})
}

func TestPixels(t *testing.T) {
	onFastISAs(t, func(t *testing.T, isa ISA) {
		k := PointwiseFor(isa)
		for _, pixels := range []int{0, 1, 2, 3, 4, 5, 8, 64, 65} {
			x := operand(16*pixels, 0)
			var got, want [16]float32
			k.PixelSum(&got, x)
			pixelSum(&want, x)
			// Zero-mean sums of at most 65 terms |x| < 5: 4·2⁻²⁴·Σ|x| < 4·2⁻²⁴·65.
			near(t, append(got[:], guard)[:16], want[:], 65*4*ulp/2)

			a, b := operand(len(x), 1), operand(len(x), 1)
			k.PixelGrad(a, x, &got, 0.2)
			pixelGrad(b, x, &got, 0.2)
			near(t, a, b, 0)
		}
	})
}

// plane returns the statistics of 16 channels, none of them trivial.
func plane() *NormPlane {
	c := new(NormPlane)
	for i, lanes := range []*[16]float64{&c.Mu, &c.Scale, &c.Shift, &c.Slope, &c.Sum1, &c.Sum2} {
		for j := range lanes {
			lanes[j] = float64(testKey.Normal(uint64(16*i + j)))
		}
	}
	return c
}

func TestNormPasses(t *testing.T) {
	generic := genericPointwise()
	onFastISAs(t, func(t *testing.T, isa ISA) {
		k := PointwiseFor(isa)
		for _, pixels := range []int{0, 1, 2, 7, 64} {
			n := 16 * pixels
			x, dy := operand(n, 0), operand(n, 1)
			got, want := operand(n, 2), operand(n, 2)
			a, b := plane(), plane()
			k.NormSum(x, a)
			k.NormSquares(x, a)
			k.NormGradSums(dy, x, a)
			generic.NormSum(x, b)
			generic.NormSquares(x, b)
			generic.NormGradSums(dy, x, b)
			for j := range 16 {
				// In float64: 64 sums of products below 2⁷ that a fused multiply-add rounds
				// once instead of twice stay within 64·2⁷·2⁻⁵³ < 1e-12.
				if !(math.Abs(a.Sum1[j]-b.Sum1[j]) < 1e-12 && math.Abs(a.Sum2[j]-b.Sum2[j]) < 1e-12) {
					t.Errorf("%s: %d pixels, lane %d: sums %v, %v, want %v, %v", isa, pixels, j, a.Sum1[j], a.Sum2[j], b.Sum1[j], b.Sum2[j])
				}
			}
			// One rounding to float32 of float64 that may differ in the last bit.
			k.NormApply(got, x, a)
			generic.NormApply(want, x, a)
			near(t, got, want, ulp)
			k.NormInputGrad(got, dy, x, a)
			generic.NormInputGrad(want, dy, x, a)
			near(t, got, want, ulp)
		}
	})
}

// A value that isn't a number must reach the result, where the divergence guard sees it.
func TestNaNPropagates(t *testing.T) {
	nan := float32(math.NaN())
	c := SGLD{Alpha: 1, Sigma: 1, Clip: 1, Lo: -1, Hi: 1}
	box := Box{Radius: 1, Lo: -1, Hi: 1}
	onEachISA(t, func(t *testing.T, isa ISA) {
		k := PointwiseFor(isa)
		for name, op := range map[string]func(x, y []float32){
			"LeakyReLU":      func(x, y []float32) { k.LeakyReLU(x, y, 0.2) },
			"LeakyReLUGrad":  func(x, y []float32) { k.LeakyReLUGrad(x, y, y, 0.2) },
			"Axpy":           func(x, y []float32) { k.Axpy(x, y, 1) },
			"Clamp":          func(x, y []float32) { copy(x, y); k.Clamp(x, -1, 1) },
			"SGLD, gradient": func(x, y []float32) { k.SGLD(x, y, stream(), 0, &c) },
			"SGLD, state":    func(x, y []float32) { copy(x, y); k.SGLD(x, operand(16, 1), stream(), 0, &c) },
			"AxpySquared":    func(x, y []float32) { k.AxpySquared(x, y, 1) },
			"Sign":           func(x, y []float32) { k.Sign(x, y, 1) },
			"Box, state":     func(x, y []float32) { copy(x, y); k.Box(x, operand(16, 1), &box) },
			"Box, centre":    func(x, y []float32) { k.Box(x, y, &box) },
			"Drift":          func(x, y []float32) { k.Drift(x, y, &c) },
		} {
			x, y := operand(16, 0), operand(16, 1)
			y[3] = nan
			op(x, y)
			if at := slices.IndexFunc(x, func(v float32) bool { return v != v }); at != 3 {
				t.Errorf("%s: %s: NaN at %d, want 3", isa, name, at)
			}
		}
	})
}
