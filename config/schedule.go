package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"jem/config/settings"
)

// scheduled are the settings that may change in the course of a run. A weight of 0 leaves its term out,
// with the images and passes that only it needs, so that a run's phases are a schedule of weights.
var scheduled = []string{
	"objective.p_x", "objective.p_y_given_x", "objective.p_x_y", "objective.l2", "objective.attacked", "objective.attacked_p_x", "objective.bce",
	"sampler.steps", "sampler.step_size", "sampler.noise",
	"attack.steps", "attack.step_size", "attack.radius", "dream.steps", "dream.step_size", "dream.noise",
	"optim.lr", "sam.rho",
}

// course is one setting over a run.
type course struct {
	path  string
	knots []knot
}

// knot is a value at a place of the run.
type knot struct {
	value, at float64 // at: steps taken, or a share of the run
	share     bool
}

// step is the number of steps taken at the knot in a run of so many.
func (k knot) step(total int) float64 {
	if k.share {
		return math.Round(k.at * float64(total))
	}
	return k.at
}

// parseCourse reads "objective.l2 0.03@67% 0@100%".
func parseCourse(text string) (course, error) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return course{}, fmt.Errorf("%q: want a setting and its values, as in %q", text, "objective.l2 0.03@67% 0@100%")
	}
	c := course{path: words[0]}
	if !slices.Contains(scheduled, c.path) {
		return c, fmt.Errorf("%q: %s doesn't change within a run: %s", text, c.path, settings.DidYouMean(c.path, scheduled))
	}
	for _, w := range words[1:] {
		k, ok := parseKnot(w)
		if !ok {
			return c, fmt.Errorf("%q: %s: want a value and where it holds, a step or a share of the run, as in 0.03@2000 or 0.03@67%%", text, w)
		}
		if n := len(c.knots); n > 0 && (k.share != c.knots[n-1].share || k.at <= c.knots[n-1].at) {
			return c, fmt.Errorf("%q: %s: want places in rising order, all of them steps or all of them shares", text, w)
		}
		c.knots = append(c.knots, k)
	}
	return c, nil
}

func parseKnot(word string) (k knot, ok bool) {
	value, at, found := strings.Cut(word, "@")
	if at, k.share = strings.CutSuffix(at, "%"); !found {
		return k, false
	}
	var bad [2]error
	k.value, bad[0] = strconv.ParseFloat(value, 32)
	k.at, bad[1] = strconv.ParseFloat(at, 64)
	highest := float64(maxCount)
	if k.share {
		k.at /= 100
		highest = 1
	}
	return k, bad[0] == nil && bad[1] == nil && math.Abs(k.value) <= math.MaxFloat32 && k.at >= 0 && k.at <= highest && (k.share || k.at == math.Trunc(k.at))
}

// at is the value after so many steps of a run: linear between knots, constant outside.
func (c course) at(step, total int) float64 {
	x, last := float64(step), c.knots[0]
	for i, k := range c.knots {
		if at := k.step(total); x <= at {
			if from := last.step(total); i > 0 && at > from {
				return last.value + (k.value-last.value)*(x-from)/(at-from)
			}
			return k.value
		}
		last = k
	}
	return last.value
}

// At is the configuration of the step that follows so many of a run's total. It is a function of
// these, so a run that is resumed goes on with it.
func (c *Config) At(step, total int) Config {
	return c.with(func(k course) float64 { return k.at(step, total) })
}

// Ever is the configuration with the value of each setting that is the furthest from 0 in the course of
// the run: what a run needs at some time it needs here.
func (c *Config) Ever() Config {
	return c.with(func(k course) float64 {
		largest := k.knots[0].value
		for _, k := range k.knots {
			if math.Abs(k.value) > math.Abs(largest) {
				largest = k.value
			}
		}
		return largest
	})
}

// SharesLength reports whether the schedule has places that are shares of the run.
func (c *Config) SharesLength() bool {
	return slices.ContainsFunc(c.Train.Schedule, func(text string) bool {
		k, err := parseCourse(text)
		return err == nil && k.knots[0].share
	})
}

// with sets the scheduled settings. The schedule must be valid.
func (c *Config) with(value func(course) float64) Config {
	now := *c
	for _, text := range c.Train.Schedule {
		if k, err := parseCourse(text); err == nil {
			settings.SetNumber(&now, k.path, value(k))
		}
	}
	return now
}

// overruled refuses settings that are given after a schedule that changes them, of a preset mostly: they would
// have no effect.
func (c *Config) overruled(layers []settings.Layer) error {
	since := 0 // the layer that the schedule is of
	for i, l := range layers {
		if slices.Contains(l.Paths(), "train.schedule") {
			since = i
		}
	}
	if len(layers) == 0 {
		return nil
	}
	var v validator
	for _, text := range c.Train.Schedule {
		k, err := parseCourse(text)
		if err == nil && slices.ContainsFunc(layers[since+1:], func(l settings.Layer) bool { return slices.Contains(l.Paths(), k.path) }) {
			v.fault(k.path, "train.schedule has %q, so that this has no effect: set train.schedule, too", text)
		}
	}
	return v.err()
}

// schedule checks the schedule, and the configuration with each of its values.
func (v *validator) schedule(c Config) {
	paths := map[string]bool{}
	for _, text := range c.Train.Schedule {
		k, err := parseCourse(text)
		switch {
		case err != nil:
			v.fault("train.schedule", "%v", err)
			continue
		case paths[k.path]:
			v.fault("train.schedule", "%s is given twice", k.path)
			continue
		}
		paths[k.path] = true
		for _, at := range k.knots {
			v.knot(c.Ever(), k.path, at.value)
		}
	}
	curriculum := func(group string, n Negative) {
		if path := group + ".steps"; paths[path] && n.MaxSteps > 0 {
			v.fault("train.schedule", "%s: with %s.max_steps=%d a curriculum says how many moves there are: leave one of them out", path, group, n.MaxSteps)
		}
	}
	curriculum("attack", c.Attack)
	curriculum("dream", c.Dream)
}

// phases wants something to train at each of a run's steps.
func (v *validator) phases(c Config, total int) {
	if ever := c.Ever(); len(c.Train.Schedule) == 0 || len(ever.Loss()) == 0 {
		return // always the same
	}
	for _, step := range c.turns(total) {
		if now := c.At(step, total); len(now.Loss()) == 0 {
			v.fault("train.schedule", "all weights of the objective are 0 after %d of the run's %d steps, so there is nothing to train: give one of them a weight there", step, total)
			return
		}
	}
}

// turns are the steps of a run at which weights begin or cease to be 0: those at knots, and next to them, where two may be at one step.
func (c *Config) turns(total int) []int {
	steps := []int{0, total - 1}
	for _, text := range c.Train.Schedule {
		k, _ := parseCourse(text)
		for _, knot := range k.knots {
			if at := int(knot.step(total)); at < total-1 {
				steps = append(steps, at, at+1)
			}
		}
	}
	slices.Sort(steps)
	return slices.Compact(steps)
}

// knot checks one value of a schedule.
func (v *validator) knot(c Config, path string, value float64) {
	var at validator
	c.Train.Schedule = nil
	settings.SetNumber(&c, path, value)
	at.objective(c)
	at.sampler(c)
	at.negatives(c)
	at.sam(c)
	at.optim(c.Optim)
	for _, f := range at.faults {
		if f.Path == path {
			v.fault("train.schedule", "%s: %s", path, f.Problem)
			return
		}
	}
}
