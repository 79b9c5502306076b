package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"jem/bench/timing"
	"jem/config"
	"jem/internal/data"
	"jem/internal/durable"
)

// published is the listing of a configuration's set.
func published(c config.Config) data.Listing {
	l, err := data.Lookup(c.Data.Name)
	if err != nil {
		panic(err) // experiments train on published sets only
	}
	return l
}

// totalSteps is how many steps a configuration trains, on the published files.
func totalSteps(c config.Config) int {
	return c.TotalSteps(c.StepsPerEpoch(published(c).Images))
}

// benchWork bounds a measurement, in floating-point operations: a second or two of a core.
const benchWork = 3e11

// rate is what timing.Measure says of a configuration at a batch and a number of SGLD steps
// that take seconds, for scaling to the real ones: the time of convolutions grows with both
// in proportion, the rest of a step, the update above all, doesn't.
type rate struct {
	Device   string  `json:"device"`
	Key      string  `json:"key"`
	Fixed    float64 `json:"fixed_seconds"`          // a step
	Gradient float64 `json:"gradient_seconds_image"` // of an image of the batch, per step
	SGLD     float64 `json:"sgld_seconds_image"`     // of a chain, per SGLD step
}

// seconds a training step.
func (r rate) seconds(c config.Config) float64 {
	return r.Fixed + float64(c.Train.Batch)*(r.Gradient+r.SGLD*float64(c.Sampler.Steps))
}

// rates measures configurations, each kind once: results stay in the output folder.
type rates struct {
	path string
	all  []rate
}

func readRates(l *Lab) (*rates, error) {
	r := &rates{path: filepath.Join(l.Out, "rates.json")}
	text, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r.all)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove the file to measure again", r.path, err)
	}
	return r, nil
}

// of returns a training's rate on the lab's device.
func (r *rates) of(l *Lab, t Training) (rate, error) {
	dev, err := l.Open(l.Device)
	if err != nil {
		return rate{}, err
	}
	defer dev.Close()
	c, o := t.Config, t.Config.Objective
	key := fmt.Sprintf("WRN-%d-%d %s, %s, weights %g %g %g %g, shared stream %t", c.Model.Depth, c.Model.Width, c.Model.Norm, c.Data.Name, o.PX, o.PYX, o.PXY, o.L2, c.Data.SharedStream)
	for _, have := range r.all {
		if have.Device == dev.Name() && have.Key == key {
			return have, nil
		}
	}
	c.Train.Batch, c.Sampler.Steps, c.Sampler.Buffer = affordable(c)
	l.Tell("timing " + key)
	b, err := timing.Measure(dev, c, 3, 32, len(published(c).Classes), 3)
	if err != nil {
		return rate{}, err
	}
	n := float64(c.Train.Batch)
	fixed := min((1-b.ConvShare)*b.StepSeconds, b.StepSeconds-b.SGLDSeconds)
	found := rate{Device: dev.Name(), Key: key, Fixed: fixed, Gradient: (b.StepSeconds - b.SGLDSeconds - fixed) / n, SGLD: b.SGLDSeconds / n / float64(c.Sampler.Steps)}
	r.all = append(r.all, found)
	text, err := json.MarshalIndent(r.all, "", "  ")
	if err != nil {
		return found, err
	}
	return found, durable.WriteFile(r.path, append(text, '\n'))
}

// affordable is the largest batch, and the SGLD steps, within benchWork. A network's
// convolutions take about 14.2·n·w² million multiply-adds an image (n blocks a stage, width
// w), a step some 9 passes of forward work and 2 for each SGLD step.
func affordable(c config.Config) (batch, steps, buffer int) {
	batch, steps = c.Train.Batch, min(c.Sampler.Steps, 2)
	forward := 2 * 14.2e6 * float64(c.Model.Depth-4) / 6 * float64(c.Model.Width*c.Model.Width)
	for batch > 2 && float64(batch)*forward*float64(9+2*steps) > benchWork {
		batch /= 2
	}
	return batch, steps, 100
}
