//go:build cuda && linux && amd64

package cuda_test

import (
	"testing"

	"jem/backend"
	"jem/backend/backendtest"
	"jem/cuda"
	"jem/cuda/sim/control"
)

// TestConformance holds the device to the whole suite with each engine, in float32 and in the
// precisions below it everywhere.
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
			opt := backendtest.Options{Short: testing.Short(), Widen: cuda.Allowances()}
			if control.Present() {
				delete(opt.Widen, "graph fp32") // the stand-in has no such engine
			}
			backendtest.Run(t, func() (backend.Device, error) { return cuda.Open(o) }, opt)
		})
	}
}
