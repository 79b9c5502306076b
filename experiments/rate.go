package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"jem/backend"
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

	speed  float64 // operations a second of the network that estimates are made from; 0: not timed yet
	warned bool
}

func readRates(l *Lab) (*rates, error) {
	r := &rates{path: filepath.Join(l.Out, "rates.json")}
	err := readKept(r.path, &r.all, remeasure)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return r, nil
}

// rateKey names what trainings of one rate have in common.
func rateKey(c config.Config) string {
	o := c.Objective
	key := fmt.Sprintf("WRN-%d-%d %s, %s, weights %g %g %g %g, shared stream %t", c.Model.Depth, c.Model.Width, c.Model.Norm, c.Data.Name, o.PX, o.PYX, o.PXY, o.L2, c.Data.SharedStream)
	if o.Attacked != 0 || o.AttackedPX != 0 {
		key += fmt.Sprintf(", attacked %g %g in %d steps", o.Attacked, o.AttackedPX, c.Attack.Steps)
	}
	if o.BCE != 0 {
		key += fmt.Sprintf(", dreams %g in %d to %d steps", o.BCE, c.Dream.Steps, c.Dream.MaxSteps)
	}
	if c.SAM.Rho != 0 {
		key += fmt.Sprintf(", sharpness every %d", c.SAM.Every)
	}
	return key
}

// Where a rate comes from.
const (
	rateMeasured  = "measured"
	rateEstimated = "estimated"
)

// of returns a training's rate on the lab's device, and where it comes from: measured now, if the lab
// is to measure, or before; else estimated.
func (r *rates) of(l *Lab, t Training) (found rate, source string, err error) {
	dev, err := l.Open(l.Device)
	if err != nil {
		return rate{}, "", err
	}
	defer dev.Close()
	if have, ok := r.known(dev.Name(), rateKey(t.Config)); ok {
		return have, rateMeasured, nil
	}
	if !l.MeasureRates {
		found, err = r.estimate(l, dev, t.Config)
		return found, rateEstimated, err
	}
	found, err = r.measure(l, dev, t.Config)
	return found, rateMeasured, err
}

// measure times a configuration and keeps what it finds.
func (r *rates) measure(l *Lab, dev backend.Device, c config.Config) (rate, error) {
	r.warn(l)
	key := rateKey(c)
	batch, steps, buffer := affordable(c)
	c.Train.LabeledBatch = (c.Train.LabeledBatch*batch + c.Train.Batch - 1) / c.Train.Batch
	c.Train.Batch, c.Sampler.Steps, c.Sampler.Buffer = batch, steps, buffer
	l.Tell("timing " + key)
	b, err := timing.Measure(l.ctx, dev, c, 3, 32, len(published(c).Classes), 3)
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

// known finds a rate that was measured before.
func (r *rates) known(device, key string) (rate, bool) {
	i := slices.IndexFunc(r.all, func(have rate) bool { return have.Device == device && have.Key == key })
	if i < 0 {
		return rate{}, false
	}
	return r.all[i], true
}

// forwardWork is about how many floating-point operations the convolutions of a forward pass take an
// image: 14.2·n·w² million multiply-adds (n blocks a stage, width w).
func forwardWork(c config.Config) float64 {
	return 2 * 14.2e6 * float64(c.Model.Depth-4) / 6 * float64(c.Model.Width*c.Model.Width)
}

// affordable is the largest batch, and the SGLD steps, within benchWork. A step takes some 9 passes of
// forward work and 2 for each SGLD step.
func affordable(c config.Config) (batch, steps, buffer int) {
	batch, steps = c.Train.Batch, min(c.Sampler.Steps, 2)
	forward := forwardWork(c)
	for batch > 2 && float64(batch)*forward*float64(9+2*steps) > benchWork {
		batch /= 2
	}
	return batch, steps, 100
}
