// Package journal keeps a run folder: it observes training and writes metrics,
// TensorBoard events, sample grids, checkpoints and, from what is in the folder, the
// report.
//
// It knows what a run shows, not how it is trained, and prints nothing.
package journal

import (
	"errors"
	"fmt"
	"time"

	"jem/config"
	"jem/feed"
	"jem/internal/checkpoint"
	"jem/internal/rundir"
	"jem/internal/tboard"
	"jem/predict"
	"jem/train"
	"jem/train/step"
)

// Journal is the run folder of a run in progress: a train.Observer and its train.Keeper.
type Journal struct {
	Path rundir.Path

	dir     *rundir.Dir
	events  *tboard.Writer
	store   *checkpoint.Store
	classes []string
	every   int // steps between records
	keep    checkpoint.Policy
	sum     interval

	o     Options
	told  map[string]bool // notes
	pages pages
}

// Options say how a run is recorded.
type Options struct {
	Path   string        // the run folder
	Config config.Config // resolved
	Facts  feed.Facts    // of the images; Classes name the rows of sample grids
	Device string        // the device's name for itself
	// Algorithms are what the device has chosen, see backend.Chooser.
	Algorithms map[string]string
	// Ranks, Machines and Engine are those of a run of several processes, see rundir.Env.
	Ranks, Machines int
	Engine          string
	// StepsPerEpoch turns train.keep_every, in epochs, into steps.
	StepsPerEpoch int
	// Notes hears sentences for the user; nil: nobody does.
	Notes func([]string)
}

// Create starts the folder of a new run. Errors are those of rundir.Create.
func Create(o Options) (*Journal, error) {
	config, data, err := o.documents()
	if err != nil {
		return nil, err
	}
	dir, err := rundir.Create(o.Path, config, data, o.environment())
	if err != nil {
		return nil, err
	}
	return open(o, dir, 0)
}

// documents are what config.yaml and data.json hold.
func (o Options) documents() (settings, data []byte, err error) {
	text, err := config.Document(o.Config)
	if err != nil {
		return nil, nil, err
	}
	data, err = o.Facts.Document()
	return []byte(text), data, err
}

// environment is what env.json says about this start.
func (o Options) environment() rundir.Env {
	e := rundir.Environment(o.Device)
	e.Algorithms = o.Algorithms
	if o.Ranks > 1 {
		e.Ranks, e.Machines, e.Engine = o.Ranks, o.Machines, o.Engine
	}
	return e
}

func open(o Options, dir *rundir.Dir, step int) (*Journal, error) {
	l := o.Config.Train
	j := &Journal{
		Path: dir.Path, dir: dir, classes: o.Facts.Classes, every: max(1, l.LogEvery),
		keep: checkpoint.Policy{KeepLast: max(1, l.KeepLast), KeepEvery: l.KeptInterval(o.StepsPerEpoch)},
		o:    o, told: map[string]bool{}, pages: pages{begun: time.Now()},
	}
	j.tell(dir.Notes()...)
	var err error
	if j.store, err = checkpoint.Open(dir.Checkpoints()); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	j.store.Usable = Usable
	if j.events, err = tboard.Create(string(dir.Path), step); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return j, nil
}

// Close ends the records, writes the report and gives the folder back.
func (j *Journal) Close() error {
	err := j.events.Close()
	notes, failed := Report(j.Path) // before others may write here
	j.tell(notes...)
	return errors.Join(err, j.unless(failed), j.dir.Close())
}

// Step implements train.Observer: every log_every-th step a record of the means since the
// last one.
func (j *Journal) Step(r *step.Record) error {
	j.sum.add(r)
	if r.Step%j.every != 0 && r.Step != 1 {
		return nil
	}
	return j.record(r.Step, KindTrain, "", j.sum.take())
}

// record writes values to the metrics and, under train/ or eval/, to the events.
func (j *Journal) record(step int, kind, text string, values map[string]float64) error {
	if err := j.dir.Log(rundir.Record{Step: step, Kind: kind, Text: text, Values: values}); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	for name, v := range values {
		if err := j.events.Scalar(kind+"/"+name, step, v); err != nil {
			return fmt.Errorf("events: %w", err)
		}
	}
	return nil
}

// Evaluated implements train.Observer.
func (j *Journal) Evaluated(step int, a *predict.Judgement) error {
	err := j.record(step, KindEval+a.Split, "", map[string]float64{
		"accuracy": a.Accuracy.Accuracy, "loss": a.Loss, "log_px": a.LogPx, "images": float64(a.Images), "noise": float64(a.Noise),
		"mean_confidence": a.Confidence, "ece": a.ECE,
	})
	if err != nil {
		return err
	}
	if err := j.judged(step, a); err != nil {
		return err
	}
	return j.refresh()
}

// RolledBack implements train.Observer.
func (j *Journal) RolledBack(d *train.DivergedError, r train.Rollback) error {
	text := fmt.Sprintf("diverged at step %d: %s; went back to step %d", r.At, r.Reason, r.To)
	return j.record(r.At, KindRollback, text, map[string]float64{
		"to": float64(r.To), "loss": d.Record.L, "gap": d.Record.Gap(), "grad_norm": d.Record.GradNorm,
	})
}

// Note implements train.Observer.
func (j *Journal) Note(step int, text string) error { return j.record(step, kindNote, text, nil) }

// Saved implements train.Observer; the checkpoint itself shows.
func (j *Journal) Saved(int, string) error { return nil }
