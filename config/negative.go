package config

import (
	"maps"
	"slices"

	"jem/model"
)

// recipe checks that what the terms need is there: each negative's settings, and those that contradict
// each other. Negatives that no term needs, nor a run's samples, are not looked at.
func (v *validator) recipe(c Config) {
	ever := c.Ever()
	v.negatives(ever)
	needed := ever.needed()
	for _, group := range slices.Sorted(maps.Keys(needed)) {
		n := needed[group]
		if _, ball := n.Ball(); ball && n.Radius == 0 {
			v.fault(group+".radius", "0: a ball of radius 0 holds the image alone: want a number above 0")
		}
	}
	if _, checked := needed["dream"]; ever.Generation().ByClass && !checked {
		v.moves("dream", ever.Dream)
	}
	v.sam(c)
	if c.Train.FrozenStats && c.Model.Norm != "batch" {
		v.fault("train.frozen_stats", "true, but a network with model.norm=%s has no running statistics: leave it out", c.Model.Norm)
	}
}

// negatives checks those that the terms need.
func (v *validator) negatives(c Config) {
	needed := c.needed()
	for _, group := range slices.Sorted(maps.Keys(needed)) {
		v.negative(c, group, needed[group])
	}
}

// needed are the negatives that the terms need, by their group of settings.
func (c *Config) needed() map[string]Negative {
	groups := map[string]Negative{}
	for role, n := range c.Negatives() {
		groups[NegativeNames[role]] = n
	}
	return groups
}

// Names that settings of a Negative take.
var (
	negativeStarts = []string{StreamLabeled, StreamData, StreamOutliers, "uniform", "gaussian"}
	negativeLabels = []string{StreamLabeled, StreamData, LabelUniform}
	negativeClimbs = []string{"log_px", "logit", "cross_entropy", "energy"}
	negativeMoves  = []string{"sign", "unit", "langevin"}
	negativeKeeps  = []string{"all", "box", "linf", "l2"}
)

func (v *validator) negative(c Config, group string, n Negative) {
	at := func(name string) string { return group + "." + name }
	v.oneOf(at("start"), n.Start, negativeStarts...)
	v.oneOf(at("label"), n.Label, negativeLabels...)
	v.oneOf(at("climb"), n.Climb, negativeClimbs...)
	v.within(at("gaussians"), n.Gaussians, probability)
	v.within(at("radius"), n.Radius, notNegative)
	v.moves(group, n)
	v.start(c, group, n)
	v.labels(c, group, n)
	v.curriculum(c, group, n)
}

// moves checks how a negative's images move, and samples of runs that draw them so.
func (v *validator) moves(group string, n Negative) {
	at := func(name string) string { return group + "." + name }
	v.oneOf(at("move"), n.Move, negativeMoves...)
	v.oneOf(at("keep"), n.Keep, negativeKeeps...)
	v.count(at("steps"), n.Steps, 0, maxCount)
	v.count(at("max_steps"), n.MaxSteps, 0, maxCount)
	v.within(at("step_size"), n.StepSize, positive)
	v.within(at("noise"), n.Noise, notNegative)
	v.within(at("grad_clip"), n.GradClip, notNegative)
	if n.Move != "langevin" && (n.Noise != 0 || n.GradClip != 0) {
		v.fault(at("noise"), "%g and %s.grad_clip=%g are of %s.move=langevin: set them to 0 for %s moves", n.Noise, group, n.GradClip, group, n.Move)
	}
}

// start checks what a negative's images begin at.
func (v *validator) start(c Config, group string, n Negative) {
	_, ball := n.Ball()
	fromStream := n.Start == StreamLabeled || n.Start == StreamData || n.Start == StreamOutliers
	switch {
	case ball && !fromStream:
		v.fault(group+".keep", "%s keeps images in a ball around those that they begin at: set %s.start to labeled, data or outliers, or %s.keep to box", n.Keep, group, group)
	case n.Start == StreamOutliers && !c.Outliers.Any():
		v.fault(group+".start", "outliers, but outliers.name is empty: set it to distorted for ones made of the training images, to another set, or to folder")
	case n.Scatter && !ball:
		v.fault(group+".scatter", "true, but there is no ball to scatter in: set %s.keep to linf or l2", group)
	case ball && n.Gaussians > 0:
		v.fault(group+".gaussians", "%g: images of a Gaussian are no start of a ball: set %s.keep to box", n.Gaussians, group)
	}
}

// labels checks where a negative's classes come from.
func (v *validator) labels(c Config, group string, n Negative) {
	switch {
	case n.Label == StreamData && c.Data.LabelsPerClass > 0 && !c.Data.SharedStream:
		v.fault(group+".label", "data: with data.labels_per_class=%d the labels of data are not to be known: set it to labeled or uniform", c.Data.LabelsPerClass)
	case group == "attack" && c.Objective.Attacked != 0 && n.Start == StreamOutliers:
		v.fault("attack.start", "outliers, which have no class, but objective.attacked learns the classes of attacked images: set it to labeled, or objective.attacked=0")
	case group == "attack" && c.Objective.Attacked != 0 && c.othersClasses(n):
		v.fault("attack.label", "%s, but objective.attacked learns the classes of attacked images, and attack.start=%s: set both to labeled", n.Label, n.Start)
	case n.Label == StreamLabeled && c.size(n) != c.Train.Labeled(), n.Label == StreamData && c.size(n) != c.Train.Batch:
		v.fault(group+".label", "%s: the %d images a step have labels of a batch of another size: set %s.label to %s", n.Label, c.size(n), group, LabelUniform)
	}
}

// othersClasses reports whether a negative's images begin at images of a stream and have the classes of others.
func (c *Config) othersClasses(n Negative) bool {
	if n.Start != StreamLabeled && n.Start != StreamData || n.Label == n.Start {
		return false
	}
	return n.Label == LabelUniform || !c.Data.SharedStream // else both are the same images
}

// curriculum checks moves that grow.
func (v *validator) curriculum(c Config, group string, n Negative) {
	if n.MaxSteps == 0 {
		if n.Steps == 0 {
			v.fault(group+".steps", "0: images that never move: want 1 or more, or a curriculum (%s.max_steps)", group)
		}
		return
	}
	v.within(group+".auc", n.AUC, probability)
	v.count(group+".window", n.Window, 1, maxCount)
	if n.MaxSteps < n.Steps {
		v.fault(group+".max_steps", "%d is below %s.steps = %d, from which it grows", n.MaxSteps, group, n.Steps)
	}
	if !c.needs(model.DataPX) {
		v.fault(group+".max_steps", "%d: moves grow by how well log p(x) tells data from these images, but no term has data: set objective.bce, or %s.max_steps to 0", n.MaxSteps, group)
	}
}

func (v *validator) sam(c Config) {
	v.within("sam.rho", c.SAM.Rho, notNegative)
	v.count("sam.every", c.SAM.Every, 1, maxCount)
}
