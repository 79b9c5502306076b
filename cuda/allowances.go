package cuda

// Allowances are the bounds that the conformance suite (backendtest.Options.Widen) grants the
// device's convolutions, in units of u·Σ|ab| with u = 2⁻²⁴, by words in an algorithm's name.
//
// Rounding an operand to t bits of mantissa errs by 2⁻⁽ᵗ⁺¹⁾ of it, so a product by twice that:
// tf32 (t = 10) 2⁻¹⁰ = 2¹⁴·u, bf16 (t = 7) 2⁻⁷ = 2¹⁷·u; in bf16 the residual and the result are
// rounded, too, each by half of that at most. The sums themselves add their usual 6. In float32
// the library may take Winograd's transforms for some variants of a fused convolution, whose
// allowance in the suite is 64; the name is that of one variant.
func Allowances() map[string]float64 {
	return map[string]float64{"tf32": 1<<14 + 8, "bf16": 2*(1<<17) + 8, "graph fp32": 64}
}
