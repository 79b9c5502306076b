package bench

import (
	"context"
	"runtime"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/train"
)

func open(t *testing.T) *cpu.Device {
	d, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestStepsAccountsForTheirTime(t *testing.T) {
	cfg := train.Default()
	cfg.Model.Depth, cfg.Model.Width = 10, 1
	cfg.Train.Batch, cfg.Sampler.Steps = 2, 2
	r, err := Steps(context.Background(), open(t), cfg, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case r.Steps != 3 || r.SGLDSteps != 2:
		t.Errorf("measured %d steps with %d SGLD steps", r.Steps, r.SGLDSteps)
	case !(0 < r.MinSeconds && r.MinSeconds <= r.StepSeconds && r.StepSeconds <= r.MaxSeconds):
		t.Errorf("times out of order: %+v", r)
	case !(0 < r.SGLDSeconds && r.SGLDSeconds < r.StepSeconds):
		t.Errorf("the SGLD part is not a part: %+v", r)
	case !(0 < r.ConvShare && r.ConvShare < 1):
		t.Errorf("the convolutions' share is %v", r.ConvShare)
	}
	// Operations of a step: K = 2 forward and input-gradient passes over 2 chains, then one
	// forward, input- and parameter-gradient pass over 3 parts of 2 images, 20 MMAC each
	// (WRN-10-1, reference value 0.020 GMAC); the stem's input gradient is missing in the last.
	want := 2 * 20e6 * float64(2*2*2+3*6)
	total := (r.MinSeconds + r.StepSeconds + r.MaxSeconds) // of three, the median is the third
	if got := r.GFLOPS * 1e9 * total / 3; got < 0.93*want || got > 1.07*want {
		t.Errorf("a step has %.0f operations, want about %.0f", got, want)
	}
}

func TestLayersMeasuresEveryDirection(t *testing.T) {
	spec := backend.ConvSpec{N: 1, InC: 16, H: 8, W: 8, OutC: 16, Kernel: 3, Stride: 1, Pad: 1, Slope: 0.2}
	rs, err := Layers(context.Background(), open(t), []Layer{{Name: "small", Count: 2, Spec: spec}}, 0, 1000)
	if err != nil || len(rs) != 3 {
		t.Fatalf("%+v, %v", rs, err)
	}
	for _, r := range rs {
		if r.Seconds <= 0 || r.GFLOPS <= 0 || r.PeakShare <= 0 || r.Repetitions < 3 || r.Algorithm == "" {
			t.Errorf("%+v", r)
		}
	}
}

func TestPeakOfThisMachine(t *testing.T) {
	d := open(t)
	isa := d.Info().ISA
	// One thread: even a slow processor does 1 GFLOP/s, and none does 1,000 on one core.
	if p := Peak(isa, 1); runtime.GOARCH == "amd64" && isa != "generic" && (p < 1 || p > 1000) {
		t.Errorf("%s: %v GFLOP/s", isa, p)
	}
	if p := Peak("generic", 1); p != 0 {
		t.Errorf("portable Go has a peak of %v", p)
	}
}
