package train

import (
	"context"
	"errors"
	"fmt"

	"jem/backend"
	"jem/internal/optim"
	"jem/internal/philox"
	"jem/model"
	"jem/sampler"
)

// Trainer is one run in progress: everything that a checkpoint holds and what is derived
// from the configuration. It belongs to one goroutine, its device's.
type Trainer struct {
	cfg Config
	dev backend.Device
	src Sources

	net       *model.WideResNet
	jem       *model.JEM
	buffer    *sampler.ReplayBuffer // nil without chains
	optimizer optim.Optimizer
	ema       *optim.EMA // nil when off

	objective  model.Objective
	sgld       sampler.SGLD
	schedule   optim.Schedule
	keys       keys
	batch      *batch
	sumSquares backend.Tensor
	eval       *evaluator

	progress Progress
}

// Progress is the part of a run's state that is not tensors.
type Progress struct {
	Step     int      `json:"step"`   // steps taken
	Reseed   uint64   `json:"reseed"` // added to the seed of chains and batches after a rollback
	BestStep int      `json:"best_step"`
	Best     float64  `json:"best"` // validation accuracy at BestStep
	Last     Accuracy `json:"last"` // latest evaluation
}

// keys are the streams of random numbers that training steps draw from.
type keys struct{ labels, chain, drop philox.Key }

func newKeys(seed uint64) keys {
	return keys{
		labels: philox.New(seed, 0, philox.Labels),
		chain:  philox.New(seed, 0, philox.ChainNoise),
		drop:   philox.New(seed, 0, philox.DropMask),
	}
}

// New builds the run's network, buffer and optimiser on the device. The configuration
// must be valid.
func New(dev backend.Device, cfg Config, src Sources) (*Trainer, error) {
	t := &Trainer{cfg: cfg, dev: dev, src: src, keys: newKeys(cfg.Seed), objective: cfg.objective(), sgld: cfg.sgld()}
	parts, netConfig := cfg.parts(), cfg.network(src)
	if len(parts) == 0 {
		return nil, errors.New("all weights of the objective are 0: nothing to train")
	}
	t.batch = newBatch(dev, parts, t.objective, netConfig)
	t.schedule = cfg.schedule(t.TotalSteps())
	var err error
	if t.net, err = model.New(dev, netConfig, max(len(t.batch.hostLabels), EvalBatch), cfg.Seed); err != nil {
		return nil, err
	}
	t.jem = model.NewJEM(dev, t.net)
	if err := t.newBuffer(); err != nil {
		return nil, err
	}
	p := t.net.Params
	if t.optimizer, err = optim.New(cfg.Optim.Name, dev, p.Value, p.Grad, cfg.hyper()); err != nil {
		return nil, err
	}
	if cfg.Optim.EMA > 0 {
		t.ema = optim.NewEMA(dev, p.Value, cfg.Optim.EMA)
	}
	t.sumSquares = dev.New(backend.Dense, 1)
	t.eval = newEvaluator(dev, t.net)
	return t, nil
}

// newBuffer makes the replay buffer if the objective has chains.
func (t *Trainer) newBuffer() (err error) {
	if t.batch.part(model.ChainPX|model.ChainXY) < 0 {
		return nil
	}
	s, n := t.cfg.Sampler, t.net.Config
	t.buffer, err = sampler.NewReplayBuffer(t.dev, sampler.BufferConfig{
		Size: s.Buffer, Classes: n.Classes, Reinit: s.Reinit, Seed: t.cfg.Seed,
	}, n.InC*n.Size*n.Size, t.cfg.Train.Batch, t.src.Start)
	return err
}

// Model is the network being trained.
func (t *Trainer) Model() *model.JEM { return t.jem }

// Progress tells how far the run is.
func (t *Trainer) Progress() Progress { return t.progress }

// StepsPerEpoch is the number of steps an epoch takes.
func (t *Trainer) StepsPerEpoch() int {
	s := t.src.PX
	if s == nil || t.batch.part(model.DataPX) < 0 {
		s = t.src.Labeled
	}
	return max(1, s.StepsPerEpoch())
}

// TotalSteps is the number of steps of the whole run.
func (t *Trainer) TotalSteps() int {
	if t.cfg.Train.Steps > 0 {
		return t.cfg.Train.Steps
	}
	return t.cfg.Train.Epochs * t.StepsPerEpoch()
}

func (t *Trainer) epoch(step int) int { return step / t.StepsPerEpoch() }

// Run trains from the present state to the end, evaluating, sampling and saving as
// configured. save writes a checkpoint of the present state and returns its path; nil
// saves nothing. Run returns context.Canceled after a cancelled ctx, having saved.
func (t *Trainer) Run(ctx context.Context, o Observer, save func() (string, error)) error {
	total := t.TotalSteps()
	if t.progress.Step == 0 {
		if err := t.show(o, 0); err != nil {
			return err
		}
	}
	for t.progress.Step < total {
		if err := ctx.Err(); err != nil {
			return errors.Join(t.save(o, save), err)
		}
		r, err := t.step(t.progress.Step)
		if err != nil {
			return fmt.Errorf("step %d: %w", t.progress.Step+1, err)
		}
		t.progress.Step++
		if err := o.Step(&r); err != nil {
			return err
		}
		if err := t.between(o, save, t.progress.Step == total); err != nil {
			return err
		}
	}
	return nil
}

// between does what is due after a step: evaluation, pictures, checkpoint.
func (t *Trainer) between(o Observer, save func() (string, error), last bool) error {
	l := t.cfg.Train
	if last || t.due(l.EvalEvery) {
		if err := t.validate(o); err != nil {
			return err
		}
	}
	if last && t.src.Valid != nil && t.src.Test != nil {
		if err := t.evaluate(o, t.src.Test, "test"); err != nil {
			return err
		}
	}
	if last || t.due(l.SampleEvery) {
		if err := t.show(o, t.progress.Step); err != nil {
			return err
		}
	}
	if last || t.due(l.SaveEvery) {
		return t.save(o, save)
	}
	return nil
}

// due reports whether something that happens every n steps (0: each epoch) happens now.
func (t *Trainer) due(n int) bool {
	if n == 0 {
		n = t.StepsPerEpoch()
	}
	return t.progress.Step%n == 0
}

// validate evaluates on the validation set, or on the test set where there is none.
func (t *Trainer) validate(o Observer) error {
	set, split := t.src.Valid, "valid"
	if set == nil {
		set, split = t.src.Test, "test"
	}
	if set == nil {
		return nil
	}
	if err := t.evaluate(o, set, split); err != nil {
		return err
	}
	if a := t.progress.Last; a.Accuracy > t.progress.Best {
		t.progress.Best, t.progress.BestStep = a.Accuracy, t.progress.Step
	}
	return nil
}

func (t *Trainer) evaluate(o Observer, set Images, split string) error {
	a, err := t.Evaluate(set, split)
	if err != nil {
		return err
	}
	t.progress.Last = a
	return o.Evaluated(t.progress.Step, a)
}

// Evaluate measures accuracy on a set with the weights that would be used: the averaged
// ones where there are any.
func (t *Trainer) Evaluate(set Images, split string) (Accuracy, error) {
	if t.ema != nil {
		defer t.ema.Use()()
	}
	a, err := t.eval.accuracy(set)
	a.Split, a.EMA, a.Noise = split, t.ema != nil, t.src.EvalNoise
	return a, err
}

// show reports pictures of the chains.
func (t *Trainer) show(o Observer, step int) error {
	if t.buffer == nil {
		return nil
	}
	s, err := t.Samples()
	if err != nil {
		return err
	}
	return o.Sampled(step, s)
}

func (t *Trainer) save(o Observer, save func() (string, error)) error {
	if save == nil {
		return nil
	}
	path, err := save()
	if err != nil {
		return err
	}
	return o.Saved(t.progress.Step, path)
}
