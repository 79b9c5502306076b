package step

import (
	"errors"
	"strings"
	"testing"

	"jem/backend"
	"jem/comm"
	"jem/config"
	"jem/config/settings"
	"jem/feed"
	"jem/feed/feedtest"
	"jem/internal/data"
	"jem/internal/sysmem"
	"jem/predict"
)

// The memory foretold is what the device takes after a step and a batch of an evaluation, but for the change that isn't
// booked: per-sample scalars and verbs' working memory.
func TestFootprintIsWhatTheDeviceTakes(t *testing.T) {
	plain := feedtest.ToyConfig()
	plain.Model.Width = 2
	normed, averaged, joint := plain, plain, plain
	normed.Model.Norm = "batch"
	averaged.Optim.EMA, averaged.Optim.Name = 0.9, "sgd"
	joint.Objective.PXY = 1
	robust := plain
	robust.SAM = config.SAM{Rho: 0.1, Every: 1}
	robust.Objective.Attacked = 1
	robust.Attack = config.Negative{Start: "labeled", Label: "labeled", Climb: "cross_entropy", Move: "sign", Steps: 2, StepSize: 0.1, Keep: "linf", Radius: 0.1}
	phased := robust
	phased.Train.Schedule = []string{"objective.attacked 0@0 0@1 1@2", "objective.p_x 1@1 0@2"}
	coupled := phased
	coupled.Model.Norm, coupled.Sampler.BatchStats, coupled.Attack.BatchStats = "batch", true, true
	for name, cfg := range map[string]config.Config{"phased": phased, "coupled": coupled, "robust": robust, "plain": plain, "normed": normed, "averaged": averaged, "joint": joint} {
		dev, src := open(t, 2), feedtest.ToySources(cfg.Train.Batch)
		f, known, err := NewFootprint(dev, cfg, src, 1)
		if err != nil || !known {
			t.Fatalf("%s: %v, %v", name, known, err)
		}
		if now, _ := dev.(backend.Sizer).InUse(); now != 0 {
			t.Errorf("%s: foretelling took %d bytes", name, now)
		}
		s, err := New(dev, cfg, src, comm.Local{})
		if err != nil {
			t.Fatal(err)
		}
		e := predict.NewEvaluator(dev, s.Net)
		for i := range 1 + 2*len(cfg.Train.Schedule) {
			if _, err := s.Take(At{Step: i}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Forward(feed.EvalBatch); err != nil {
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
	if sysmem.Available().Bytes == 0 {
		t.Skip("the system doesn't tell its memory")
	}
	dev := open(t, 1)
	for path, change := range map[string]func(*config.Config){
		"model.width":    func(c *config.Config) { c.Model.Depth, c.Model.Width, c.Train.Batch = 1000, 64, 1 },
		"train.batch":    func(c *config.Config) { c.Train.Batch, c.Model.Width = 1<<21, 10 },
		"sampler.buffer": func(c *config.Config) { c.Sampler.Buffer = 1 << 28 },
	} {
		cfg := config.Default()
		cfg.Model.Depth, cfg.Model.Width = 10, 1
		change(&cfg)
		_, err := Affordable(dev, &cfg, feed.Noise(1, 1, 3, 32, 10), 1)
		var fault *settings.Error
		if !errors.As(err, &fault) || fault.Faults[0].Path != path || !strings.HasSuffix(fault.Faults[0].Problem, "lower "+path) {
			t.Errorf("%s: %v", path, err)
		}
		if now, _ := dev.(backend.Sizer).InUse(); now != 0 {
			t.Errorf("%s: %d bytes were taken", path, now)
		}
	}
}

// The setting that a refusal names is one that can be lowered.
func TestTheSettingToLowerCanBeLowered(t *testing.T) {
	for _, tc := range []struct {
		name        string
		width, size int
		depth       int
		want        string
	}{
		{data.Folder, 2, 512, 10, "lower model.width"},
		{data.Folder, 1, 512, 10, "lower data.size"},
		{data.Folder, 1, 0, 10, "set data.size, to which pictures are made smaller"},
		{"cifar10", 1, 0, 28, "lower model.depth"},
	} {
		cfg := config.Default()
		cfg.Data.Name, cfg.Data.Size, cfg.Model.Width, cfg.Model.Depth, cfg.Train.Batch = tc.name, tc.size, tc.width, tc.depth, 2
		path, lower := Footprint{Activations: 2, Buffer: 1}.culprit(&cfg, 1)
		if lower != tc.want || !strings.Contains(lower, path) {
			t.Errorf("%+v: %s: %s", tc, path, lower)
		}
	}
}

// A rank of four takes less memory than one alone, but for the buffer, which each has.
func TestRanksShareActivations(t *testing.T) {
	dev, cfg := open(t, 1), feedtest.ToyConfig()
	cfg.Train.Batch = 512
	src := feedtest.ToySources(cfg.Train.Batch)
	of := func(ranks int) Footprint {
		f, known, err := NewFootprint(dev, cfg, src, ranks)
		if err != nil || !known {
			t.Fatal(known, err)
		}
		return f
	}
	one, four := of(1), of(4)
	if one.Buffer != four.Buffer || four.Activations > one.Activations*2/3 { // waves of images have a least size
		t.Errorf("one of four ranks: %+v, alone: %+v", four, one)
	}
}
