package config

import (
	"jem/backend"
	"jem/model"
	"jem/optim"
	"jem/sampler"
)

// What the parts of a configuration mean to the packages below.

// SGLD is the sampler of chains.
func (c *Config) SGLD() sampler.SGLD {
	s := c.Sampler
	return sampler.SGLD{
		Steps: s.Steps, StepSize: s.StepSize, Noise: s.Noise, StepDecay: s.StepDecay,
		NoiseDecay: s.NoiseDecay, GradClip: s.GradClip, Clamp: s.Clamp,
	}
}

// FreshSteps is how long SGLD chains that start afresh need to be: the published sampler takes some 100
// steps without its replay buffer (official flag help).
const FreshSteps = 100

// Generation is how samples of a run's network are drawn.
type Generation struct {
	Move       sampler.Move
	Steps      int  // of chains that start afresh
	Persistent bool // chains of the replay buffer can go on
	ByClass    bool // each climbs to a class
	BatchStats bool // batch norms use the samples' own statistics
}

// Generation follows from what the run trains with: chains, or else dreams, which are drawn with twice
// their longest way, or where it has neither, or attacked images only, as dreams would be.
func (c *Config) Generation() Generation {
	ever := c.Ever()
	if o := ever.Objective; c.HasChains() || o.Attacked == 0 && o.BCE == 0 {
		return Generation{Move: c.SGLD(), Steps: FreshSteps, Persistent: true, BatchStats: c.Sampler.BatchStats}
	}
	d := ever.Dream
	if _, ball := d.Ball(); ball {
		d.Keep = "box" // samples begin elsewhere
	}
	return Generation{Move: d.Mover(), Steps: 2 * max(d.Steps, d.MaxSteps), ByClass: true, BatchStats: d.BatchStats}
}

// Mover is how a negative's images move, pixels kept in range where they are kept in a box.
func (n Negative) Mover() sampler.Move {
	var m sampler.Move
	switch n.Move {
	case "sign":
		m = sampler.Sign{Size: n.StepSize}
	case "unit":
		m = sampler.Unit{Size: n.StepSize}
	default:
		return sampler.SGLD{StepSize: n.StepSize, Noise: n.Noise, GradClip: n.GradClip, Clamp: n.Keep == "box"}
	}
	if n.Keep == "box" {
		return sampler.Boxed{Move: m}
	}
	return m
}

// Ball is the ball that a negative's images stay in; false where there is none.
func (n Negative) Ball() (backend.Ball, bool) {
	b := backend.Ball{Norm: backend.LInf, Radius: n.Radius, Lo: -1, Hi: 1}
	if n.Keep == "l2" {
		b.Norm = backend.L2
	}
	return b, n.Keep == "linf" || n.Keep == "l2"
}

// Ascends is what a negative's images climb.
func (n Negative) Ascends() model.Climb {
	return map[string]model.Climb{
		"log_px": model.ClimbLogPx, "logit": model.ClimbLogit, "cross_entropy": model.ClimbCrossEntropy, "energy": model.ClimbEnergy,
	}[n.Climb]
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

// Name is short for the network's kind and size: WRN-28-10, MLP-2-64.
func (m Model) Name() string {
	return model.Config{Network: m.Network, Depth: m.Depth, Width: m.Width}.Name()
}

// Network is that of images with so many channels and pixels a side.
func (c *Config) Network(classes, channels, side int) model.Config {
	m := c.Model
	return model.Config{
		Network: m.Network, Depth: m.Depth, Width: m.Width, Norm: m.Norm, Dropout: m.Dropout, Slope: m.Slope,
		Classes: classes, InC: channels, Size: side,
	}
}
