//go:build cuda && linux && amd64

package cuda_test

import (
	"testing"

	"jem/backend"
	"jem/backend/backendtest"
	"jem/cuda"
	"jem/cuda/internal/standin"
)

// The allowances of the precisions below float32, in units of u·Σ|ab| with u = 2⁻²⁴, by a word
// in the algorithm's name. Rounding an operand to t bits of mantissa errs by 2⁻⁽ᵗ⁺¹⁾ of it, so
// a product by twice that: tf32 (t = 10) 2⁻¹⁰ = 2¹⁴·u, bf16 (t = 7) 2⁻⁷ = 2¹⁷·u; in bf16 the
// residual and the result are rounded, too, each by half of that at most. The sums themselves
// add their usual 6.
var allowances = map[string]float64{"tf32": 1<<14 + 8, "bf16": 2*(1<<17) + 8}

// TestConformance holds the device to the whole suite with each engine, in float32 and in the
// precisions below it everywhere. On a real card the library may take Winograd's transforms
// for some of a plan's variants.
func TestConformance(t *testing.T) {
	for name, o := range map[string]cuda.Options{
		"fp32 graph":  {ConvEngine: "graph"},
		"fp32 legacy": {ConvEngine: "legacy"},
		"tf32 graph":  {ConvEngine: "graph", Precision: "tf32", Scope: "all"},
		"tf32 legacy": {ConvEngine: "legacy", Precision: "tf32", Scope: "all"},
		"bf16 graph":  {ConvEngine: "graph", Precision: "bf16", Scope: "all"},
		"bf16 legacy": {ConvEngine: "legacy", Precision: "bf16", Scope: "all"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := backendtest.Options{Short: testing.Short(), Widen: allowances}
			if o.Precision == "" {
				opt.Widen = nil
				if !standin.Present() {
					opt.Widen = map[string]float64{"graph": 64}
				}
			}
			backendtest.Run(t, func() (backend.Device, error) { return cuda.Open(o) }, opt)
		})
	}
}
