package config

import (
	"jem/model"
	"jem/optim"
	"jem/sampler"
)

// What the parts of a configuration mean to the packages below.

// Loss weighs the terms of the loss.
func (c *Config) Loss() model.Objective {
	o := c.Objective
	return model.Objective{PX: o.PX, PYX: o.PYX, PXY: o.PXY, L2: o.L2}
}

// SGLD is the sampler of chains.
func (c *Config) SGLD() sampler.SGLD {
	s := c.Sampler
	return sampler.SGLD{
		Steps: s.Steps, StepSize: s.StepSize, Noise: s.Noise, StepDecay: s.StepDecay,
		NoiseDecay: s.NoiseDecay, GradClip: s.GradClip, Clamp: s.Clamp,
	}
}

// Schedule is the learning rate over a run of so many steps.
func (c *Config) Schedule(totalSteps int) optim.Schedule {
	o := c.Optim
	s := optim.Schedule{Base: o.LR, Warmup: o.Warmup, DecayEpochs: o.DecayEpochs, DecayRate: o.DecayRate}
	if o.Cosine {
		s.CosineSteps = totalSteps
	}
	return s
}

// Hyper are the optimiser's constants.
func (c *Config) Hyper() optim.Hyper {
	o := c.Optim
	return optim.Hyper{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, Momentum: o.Momentum, WeightDecay: o.WeightDecay}
}

// Network is that of images with so many channels and pixels a side.
func (c *Config) Network(classes, channels, side int) model.Config {
	m := c.Model
	return model.Config{
		Depth: m.Depth, Width: m.Width, Norm: m.Norm, Dropout: m.Dropout, Slope: m.Slope,
		Classes: classes, InC: channels, Size: side,
	}
}

// Parts lists what a step's batch consists of: the objective's terms decide.
func (c *Config) Parts() []model.Part {
	o, n, labels := c.Objective, c.Train.Batch, c.Train.Labeled()
	var parts []model.Part
	px, labeled := o.PX != 0 || o.L2 != 0, o.PYX != 0 || o.PXY != 0
	switch {
	case px && labeled && c.Data.SharedStream:
		parts = append(parts, model.Part{Role: model.DataPX | model.Labeled, N: n}, model.Part{Role: model.ChainPX, N: n})
		labeled = false
	case px:
		parts = append(parts, model.Part{Role: model.DataPX, N: n}, model.Part{Role: model.ChainPX, N: n})
	}
	if labeled {
		parts = append(parts, model.Part{Role: model.Labeled, N: labels})
	}
	if o.PXY != 0 {
		parts = append(parts, model.Part{Role: model.ChainXY, N: n})
	}
	return parts
}
