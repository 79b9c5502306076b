package kernels

import (
	"context"
	"errors"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
)

var small = Layer{Name: "small", Count: 2, Spec: backend.ConvSpec{N: 1, InC: 16, H: 8, W: 8, OutC: 16, Kernel: 3, Stride: 1, Pad: 1, Slope: 0.2}}

func open(t *testing.T) *cpu.Device {
	d, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestLayersMeasuresEveryDirection(t *testing.T) {
	rs, err := Layers(context.Background(), open(t), []Layer{small}, 0, 1000)
	if err != nil || len(rs) != 3 {
		t.Fatalf("%+v, %v", rs, err)
	}
	for _, r := range rs {
		if r.Seconds <= 0 || r.GFLOPS <= 0 || r.PeakShare != r.GFLOPS/1000 || r.Repetitions < 3 || r.Algorithm == "" {
			t.Errorf("%+v", r)
		}
	}
}

func TestLayersStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Layers(ctx, open(t), []Layer{small}, 0, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
