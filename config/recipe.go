package config

import (
	"slices"

	"jem/model"
)

// A recipe is streams of images, negatives made of the present model, and terms of the loss over
// both. Which of them a step has follows from the weights that aren't 0.

// Streams that a step draws images from.
const (
	StreamLabeled  = "labeled"  // (x,y)
	StreamData     = "data"     // x⁺ of log p(x)
	StreamOutliers = "outliers" // another set's, of no class
)

// LabelUniform is the label of negatives whose classes are drawn.
const LabelUniform = "uniform"

// Loss lists the terms of the loss.
func (c *Config) Loss() model.Objective {
	var terms model.Objective
	add := func(weight float32, kind model.Kind, on, against model.Role) {
		if weight != 0 {
			terms = append(terms, model.Term{Kind: kind, Weight: weight, On: on, Against: against})
		}
	}
	o := c.Objective
	add(o.PX, model.ML, model.DataPX, model.ChainPX)
	add(o.AttackedPX, model.ML, model.DataPX, model.Attacked)
	add(o.BCE, model.BCE, model.DataPX, model.Dreams)
	add(o.PYX, model.CE, model.Labeled, 0)
	add(o.Attacked, model.CE, model.Attacked, 0)
	add(o.PXY, model.Joint, model.Labeled, model.ChainXY)
	add(o.L2, model.Square, model.DataPX, model.ChainPX)
	return terms
}

// Parts lists what a step's batch consists of: the images that the terms need.
func (c *Config) Parts() []model.Part {
	var needed model.Role
	for _, t := range c.Loss() {
		needed |= t.On | t.Against
	}
	var parts []model.Part
	add := func(role model.Role, n int) {
		if role = role & needed; role != 0 {
			parts = append(parts, model.Part{Role: role, N: n})
			needed &^= role
		}
	}
	if both := model.DataPX | model.Labeled; c.Data.SharedStream && needed&both == both {
		add(both, c.Train.Batch)
	}
	add(model.DataPX, c.Train.Batch)
	add(model.ChainPX, c.Train.Batch)
	add(model.Labeled, c.Train.Labeled())
	add(model.ChainXY, c.Train.Labeled())
	add(model.Attacked, c.size(c.Attack))
	add(model.Dreams, c.size(c.Dream))
	return parts
}

// size is the number of a negative's images a step.
func (c *Config) size(n Negative) int {
	if n.Start == StreamLabeled {
		return c.Train.Labeled()
	}
	return c.Train.Batch
}

// Negatives lists those that the terms need besides chains, by the role of their images.
func (c *Config) Negatives() map[model.Role]Negative {
	needed := map[model.Role]Negative{}
	for _, p := range c.Parts() {
		switch p.Role {
		case model.Attacked:
			needed[p.Role] = c.Attack
		case model.Dreams:
			needed[p.Role] = c.Dream
		}
	}
	return needed
}

// NegativeNames are the groups of settings of negatives besides chains, by the role of their images.
var NegativeNames = map[model.Role]string{model.Attacked: "attack", model.Dreams: "dream"}

// needs reports whether a term needs images of one of the roles.
func (c *Config) needs(roles model.Role) bool {
	return slices.ContainsFunc(c.Parts(), func(p model.Part) bool { return p.Role&roles != 0 })
}

// HasChains reports whether a term needs chains of the replay buffer at some time of the run.
func (c *Config) HasChains() bool {
	ever := c.Ever()
	return ever.needs(model.ChainPX | model.ChainXY)
}

// Draws reports whether steps draw from a stream at some time of the run; the labelled one serves as
// the data where it is shared.
func (c *Config) Draws(stream string) bool {
	ever := c.Ever()
	if ever.needs(map[string]model.Role{StreamLabeled: model.Labeled, StreamData: model.DataPX}[stream]) {
		return true
	}
	for _, n := range ever.Negatives() {
		if n.Start == stream || n.Label == stream {
			return true
		}
	}
	return false
}

// FromGaussians reports whether images begin at their class's Gaussian at some time of the run.
func (c *Config) FromGaussians() bool {
	ever := c.Ever()
	for _, n := range ever.Negatives() {
		if n.Start == "gaussian" || n.Gaussians > 0 {
			return true
		}
	}
	return c.Sampler.Start == "gaussian"
}
