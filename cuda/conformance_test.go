//go:build cuda && linux && amd64

package cuda_test

import (
	"testing"

	"jem/backend"
	"jem/backend/backendtest"
	"jem/cuda"
)

// TestConformance holds the device to the whole suite in strict float32, with each engine.
func TestConformance(t *testing.T) {
	for _, engine := range []string{"legacy", "graph"} {
		t.Run(engine, func(t *testing.T) {
			backendtest.Run(t, func() (backend.Device, error) {
				return cuda.Open(cuda.Options{ConvEngine: engine})
			}, backendtest.Options{Short: testing.Short()})
		})
	}
}
