package train

import (
	"jem/internal/optim"
	"jem/model"
	"jem/sampler"
)

// What the parts of a configuration mean to the packages below.

func (c *Config) objective() model.Objective {
	o := c.Objective
	return model.Objective{PX: o.PX, PYX: o.PYX, PXY: o.PXY, L2: o.L2}
}

func (c *Config) sgld() sampler.SGLD {
	s := c.Sampler
	return sampler.SGLD{
		Steps: s.Steps, StepSize: s.StepSize, Noise: s.Noise, StepDecay: s.StepDecay,
		NoiseDecay: s.NoiseDecay, GradClip: s.GradClip, Clamp: s.Clamp,
	}
}

func (c *Config) schedule(totalSteps int) optim.Schedule {
	o := c.Optim
	s := optim.Schedule{Base: o.LR, Warmup: o.Warmup, DecayEpochs: o.DecayEpochs, DecayRate: o.DecayRate}
	if o.Cosine {
		s.CosineSteps = totalSteps
	}
	return s
}

func (c *Config) hyper() optim.Hyper {
	o := c.Optim
	return optim.Hyper{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, Momentum: o.Momentum, WeightDecay: o.WeightDecay}
}

func (c *Config) network(s Sources) model.Config {
	m := c.Model
	return model.Config{
		Depth: m.Depth, Width: m.Width, Norm: m.Norm, Dropout: m.Dropout, Slope: m.Slope,
		Classes: len(s.Classes), InC: s.Channels, Size: s.Size,
	}
}
