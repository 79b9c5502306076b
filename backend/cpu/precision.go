package cpu

import (
	"fmt"

	"jem/backend/cpu/asm"
)

// lowPrecision says where convolutions multiply in bf16.
type lowPrecision uint8

const (
	lowNowhere lowPrecision = iota
	lowInChains
	lowEverywhere
)

// String is part of the device's name.
func (l lowPrecision) String() string { return [...]string{"", "bf16 chains, ", "bf16, "}[l] }

// parsePrecision reads Options.Precision and Options.Scope.
func parsePrecision(precision, scope string, isa asm.ISA) (lowPrecision, error) {
	low, ok := map[string]lowPrecision{"": lowInChains, "chain": lowInChains, "all": lowEverywhere}[scope]
	if !ok {
		return 0, fmt.Errorf("unknown precision scope %q: want chain or all", scope)
	}
	switch precision {
	case "", "fp32":
		return lowNowhere, nil
	case "bf16":
		if !asm.BF16(isa) {
			return 0, fmt.Errorf("precision bf16 needs AVX512_BF16, which this machine lacks or %s leaves unused: use fp32", isa)
		}
		return low, nil
	}
	return 0, fmt.Errorf("unknown precision %q: want fp32 or bf16", precision)
}

// Precision is that of convolutions outside of chains, as evaluations use them.
func (d *Device) Precision() string {
	if d.low == lowEverywhere {
		return "bf16"
	}
	return "float32"
}

// Allowances are the bounds that the conformance suite (backendtest.Options.Widen) grants the
// device's convolutions in bf16, in units of u·Σ|ab| with u = 2⁻²⁴, by words in an
// algorithm's name: see docs/numerics.md.
//
// A factor that is rounded to 8 bits errs by 2⁻⁸ of itself at most, 0.42·2⁻⁸ in the root mean
// square, and the transforms enlarge what a product of two errs by.
func Allowances() map[string]float64 { return map[string]float64{"winograd-bf16": 1 << 19} }

// winograd are the kernels of plans outside of chains.
func (d *Device) winograd() *asm.Wino {
	if d.low == lowEverywhere {
		return asm.WinoBF16For(d.isa)
	}
	return asm.WinoFor(d.isa)
}

// planChained plans what chains use in the place of Winograd's algorithm in float32.
func (c *conv) planChained() {
	for _, id := range [...]passID{usualForward, usualInputGradient} {
		p, ok := c.passes[id].(*wino)
		if !ok {
			continue
		}
		switch chained := id + chainedForward; {
		case c.d.low == lowInChains:
			c.passes[chained] = newWino(c, p.transposed, asm.WinoBF16For(c.d.isa))
		case c.d.low == lowNowhere && p.widens():
			c.passes[chained] = newWino(c, p.transposed, asm.WinoWideFor(c.d.isa))
		}
	}
}

// which is what computes a pass now: in chains what they have of their own.
func (c *conv) which(usual passID) passID {
	if chained := usual + chainedForward; c.d.chaining && c.passes[chained] != nil {
		return chained
	}
	return usual
}
