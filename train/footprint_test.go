package train

import (
	"errors"
	"strings"
	"testing"

	"jem/backend"
	"jem/internal/settings"
)

// The memory foretold is what the device takes after a step, but for the change that isn't
// booked: per-sample scalars and verbs' working memory.
func TestFootprintIsWhatTheDeviceTakes(t *testing.T) {
	plain := ToyConfig()
	plain.Model.Width = 2
	normed, averaged, joint := plain, plain, plain
	normed.Model.Norm = "batch"
	averaged.Optim.EMA, averaged.Optim.Name = 0.9, "sgd"
	joint.Objective.PXY = 1
	for name, cfg := range map[string]Config{"plain": plain, "normed": normed, "averaged": averaged, "joint": joint} {
		dev, src := open(t, 2), ToySources(cfg.Train.Batch)
		f, known, err := NewFootprint(dev, cfg, src)
		if err != nil || !known {
			t.Fatalf("%s: %v, %v", name, known, err)
		}
		if now, _ := dev.(backend.Sizer).InUse(); now != 0 {
			t.Errorf("%s: foretelling took %d bytes", name, now)
		}
		s, err := NewStep(dev, cfg, src)
		if err != nil {
			t.Fatal(err)
		}
		NewEvaluator(dev, s.Net)
		if _, err := s.Take(At{}, nil); err != nil {
			t.Fatal(err)
		}
		now, peak := dev.(backend.Sizer).InUse()
		if rest := now - f.Total(); rest < 0 || float64(rest) > 0.02*float64(now) || peak != now {
			t.Errorf("%s: the device takes %d bytes, at its peak %d; foretold %d: %+v", name, now, peak, f.Total(), f)
		}
	}
}

// Whatever size is asked for, the answer is a sentence that names the setting, not a crash.
func TestRunsBeyondTheMachinesMemoryAreRefused(t *testing.T) {
	if MachineMemory() == 0 {
		t.Skip("the system doesn't tell its memory")
	}
	dev := open(t, 1)
	for path, change := range map[string]func(*Config){
		"model.width":    func(c *Config) { c.Model.Depth, c.Model.Width, c.Train.Batch = 1000, 64, 1 },
		"train.batch":    func(c *Config) { c.Train.Batch, c.Model.Width = 1<<16, 10 },
		"sampler.buffer": func(c *Config) { c.Sampler.Buffer = 1 << 28 },
	} {
		cfg := Default()
		cfg.Model.Depth, cfg.Model.Width = 10, 1
		change(&cfg)
		_, err := NewStep(dev, cfg, noiseSources(1, 3, 32, 10))
		var fault *settings.Error
		if !errors.As(err, &fault) || fault.Faults[0].Path != path || !strings.HasSuffix(fault.Faults[0].Problem, "lower "+path) {
			t.Errorf("%s: %v", path, err)
		}
		if now, _ := dev.(backend.Sizer).InUse(); now != 0 {
			t.Errorf("%s: %d bytes were taken", path, now)
		}
	}
}
