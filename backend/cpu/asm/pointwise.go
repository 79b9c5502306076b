package asm

import "jem/backend/philox"

// Pointwise is the table of the elementwise and random kernels of one instruction set.
//
// Every kernel works on len(first operand) elements, any number of them, none included; the
// other operands are at least as long (the caller slices them). An operand may be the
// destination itself. Instruction sets differ by rounding (fused multiply-adds, the order of
// sums), except Uniform, Sign and Box, which are exact. A NaN in an operand reaches the result.
type Pointwise struct {
	// LeakyReLU: y = max(x, slope·x), 0 < slope ≤ 1.
	LeakyReLU func(y, x []float32, slope float32)
	// LeakyReLUGrad: dx = dy where y > 0, else slope·dy.
	LeakyReLUGrad func(dx, dy, y []float32, slope float32)
	// Axpy: y += a·x.
	Axpy func(y, x []float32, a float32)
	// AxpySquared: y += a·y²·x.
	AxpySquared func(y, x []float32, a float32)
	// Lerp: y += t·(x − y).
	Lerp func(y, x []float32, t float32)
	// Clamp: x = min(max(x, lo), hi).
	Clamp func(x []float32, lo, hi float32)
	// Sign: x += a where g > 0, −a where g < 0, else g.
	Sign func(x, g []float32, a float32)
	// Box: x = min(max(x, centre − Radius), centre + Radius), then
	// min(max(x, min(Lo, centre)), max(Hi, centre)).
	Box func(x, centre []float32, c *Box)
	// Drop: dst = scale·src where u ≥ rate, else 0.
	Drop func(dst, src, u []float32, rate, scale float32)
	// Adam is one step for parameters p, gradient g and moments m, v.
	Adam func(p, g, m, v []float32, c *Adam)
	// SGD is one step for parameters p, gradient g and momentum m.
	SGD func(p, g, m []float32, c *SGD)

	// Drift: x = clamp(x + α·clip(g)), the Langevin step without noise.
	Drift func(x, g []float32, c *SGLD)
	// SGLD: x = clamp(x + α·clip(g) + σ·ε), ε the normals from number 4·block of s on.
	SGLD func(x, g []float32, s *Stream, block uint64, c *SGLD)
	// Normal: dst = mean + std·ε, ε the normals from number 4·block of s on.
	Normal func(dst []float32, s *Stream, block uint64, mean, std float32)
	// Uniform: dst = lo + width·u with both roundings, u from number 4·block of s on.
	Uniform func(dst []float32, s *Stream, block uint64, lo, width float32)

	// SumSquares is Σ x², summed in float64.
	SumSquares func(x []float32) float64
	// ProductSquares is Σ (x·y)², in float64.
	ProductSquares func(x, y []float32) float64
	// Dot is Σ a·b.
	Dot func(a, b []float32) float32
	// PixelSum: sum[j] = Σ_i x[16i+j] for the 16 channels of a block; len(x) is a
	// multiple of 16.
	PixelSum func(sum *[16]float32, x []float32)
	// PixelGrad: dx[16i+j] = g[j], times slope where act[16i+j] is not > 0; len(dx) is a
	// multiple of 16.
	PixelGrad func(dx, act []float32, g *[16]float32, slope float32)

	// The passes of a normalisation, in float64. Element i belongs to lane i mod 16 of c;
	// except in the definitions, the number of elements is a multiple of 16.

	// NormSum: Sum1 += Σ x.
	NormSum func(x []float32, c *NormPlane)
	// NormSquares: Sum1 += Σ (x − Mu)².
	NormSquares func(x []float32, c *NormPlane)
	// NormApply: y = (x − Mu)·Scale + Shift.
	NormApply func(y, x []float32, c *NormPlane)
	// NormGradSums: Sum1 += Σ dy, Sum2 += Σ dy·(x − Mu).
	NormGradSums func(dy, x []float32, c *NormPlane)
	// NormInputGrad: dx = dy·Scale + Shift − (x − Mu)·Slope.
	NormInputGrad func(dx, dy, x []float32, c *NormPlane)
}

// Set makes s the stream of key, from number 0 on: kernels take its First as part of their block.
func (s *Stream) Set(key philox.Key) {
	s.Upper = [2]uint32{key.Step, key.Sub}
	const weyl0, weyl1 = 0x9E3779B9, 0xBB67AE85
	k0, k1 := uint32(key.Seed), uint32(key.Seed>>32)
	for i := range s.Round {
		s.Round[i] = [2]uint32{k0, k1}
		k0 += weyl0
		k1 += weyl1
	}
}

// key is the inverse of Set, with First 0.
func (s *Stream) key() philox.Key {
	k := s.Round[0]
	return philox.Key{Seed: uint64(k[1])<<32 | uint64(k[0]), Step: s.Upper[0], Sub: s.Upper[1]}
}
