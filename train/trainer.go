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
	moves      [2]*sampler.Chains // for log p(x) and log p(x,y)
	schedule   optim.Schedule
	keys       keys
	batch      *batch
	sumSquares backend.Tensor
	eval       *Evaluator
	chains     []float32 // of a step, on the host

	progress Progress
	saved    mark // of the latest checkpoint
}

// Progress is the part of a run's state that is not tensors.
type Progress struct {
	Step      int        `json:"step"`            // steps taken
	Stage     int        `json:"stage,omitempty"` // what of between has been done after that step
	Reseed    uint64     `json:"reseed"`          // rollbacks so far: each has random numbers of its own
	Rollbacks []Rollback `json:"rollbacks,omitempty"`
	Baseline  Baseline   `json:"baseline"` // of the loss, for the guard
	BestStep  int        `json:"best_step"`
	Best      float64    `json:"best"` // validation accuracy at BestStep
	Last      Accuracy   `json:"last"` // latest evaluation
}

// mark names a state within a run.
type mark struct {
	step, stage, rollbacks int
	any                    bool // false: none yet
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
// must be valid; one that the machine has no memory for is a *settings.Error.
func New(dev backend.Device, cfg Config, src Sources) (*Trainer, error) {
	t := &Trainer{cfg: cfg, dev: dev, src: src, keys: newKeys(cfg.Seed), objective: cfg.Loss(), sgld: cfg.SGLD()}
	parts, netConfig := cfg.Parts(), cfg.Network(len(src.Classes), src.Channels, src.Size)
	if len(parts) == 0 {
		return nil, errors.New("all weights of the objective are 0: nothing to train")
	}
	if err := affordable(dev, &cfg, src); err != nil {
		return nil, err
	}
	t.batch = newBatch(dev, parts, t.objective, netConfig)
	t.schedule = cfg.Schedule(t.TotalSteps())
	var err error
	if t.net, err = model.New(dev, netConfig, max(len(t.batch.hostLabels), EvalBatch), cfg.Seed); err != nil {
		return nil, err
	}
	t.jem = model.NewJEM(dev, t.net)
	if err := t.newBuffer(); err != nil {
		return nil, err
	}
	p := t.net.Params
	if t.optimizer, err = optim.New(cfg.Optim.Name, dev, p.Value, p.Grad, cfg.Hyper()); err != nil {
		return nil, err
	}
	if cfg.Optim.EMA > 0 {
		t.ema = optim.NewEMA(dev, p.Value, cfg.Optim.EMA)
	}
	t.sumSquares = dev.New(backend.Dense, 1)
	t.eval = NewEvaluator(dev, t.net)
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

// Done reports whether nothing is left to do.
func (t *Trainer) Done() bool { return t.progress.Step >= t.TotalSteps() && t.progress.Stage == 0 }

// Run trains from the present state to the end, evaluating, sampling and saving as
// configured. k keeps states; without one nothing is saved, and a divergence ends the run.
//
// After a cancelled ctx the state is saved and Run returns context.Canceled; evaluations
// break off for that and are done again when the run goes on. A *DivergedError says that
// the guard's budget of rollbacks is spent. Whatever the course, the end is a function of
// configuration and data.
func (t *Trainer) Run(ctx context.Context, o Observer, k Keeper) error {
	err := t.begin(ctx, o, k)
	for err == nil && !t.Done() {
		err = t.advance(ctx, o, k)
		if diverged := (*DivergedError)(nil); errors.As(err, &diverged) {
			err = t.rollBack(o, k, diverged)
		}
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return errors.Join(t.save(o, k), err)
	}
	return err
}

// begin shows the first chains and saves the first state, so that there always is one.
func (t *Trainer) begin(ctx context.Context, o Observer, k Keeper) error {
	if t.progress.Step > 0 || t.saved.any {
		return nil
	}
	// A signal may come here, too, but there is little to do yet.
	if err := t.show(context.WithoutCancel(ctx), o); err != nil {
		return err
	}
	return t.save(o, k)
}

// advance takes a step and does what is due after it, or the rest of that.
func (t *Trainer) advance(ctx context.Context, o Observer, k Keeper) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.progress.Stage == 0 {
		r, err := t.step(t.progress.Step)
		if err != nil {
			return fmt.Errorf("step %d: %w", t.progress.Step+1, err)
		}
		t.progress.Step++
		t.progress.Stage = 1
		if err := o.Step(&r); err != nil {
			return err
		}
	}
	return t.between(ctx, o, k)
}

// between does what is due after a step, in stages: evaluations, pictures, checkpoint. The
// progress says which have been done; an interrupted run goes on with the next one.
func (t *Trainer) between(ctx context.Context, o Observer, k Keeper) error {
	l, last := t.cfg.Train, t.progress.Step == t.TotalSteps()
	stages := []struct {
		due bool
		do  func(context.Context, Observer) error
	}{
		{last || t.due(l.EvalEvery), t.validate},
		{last && t.src.Valid != nil && t.src.Test != nil, t.test},
		{last || t.due(l.SampleEvery), t.show},
	}
	for ; t.progress.Stage <= len(stages); t.progress.Stage++ {
		if s := stages[t.progress.Stage-1]; s.due {
			if err := s.do(ctx, o); err != nil {
				return err
			}
		}
	}
	t.progress.Stage = 0
	// The best one is kept, see train.keep_last, so there must be one.
	if last || t.due(l.SaveEvery) || t.progress.BestStep == t.progress.Step {
		return t.save(o, k)
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
func (t *Trainer) validate(ctx context.Context, o Observer) error {
	set, split := t.src.Valid, "valid"
	if set == nil {
		set, split = t.src.Test, "test"
	}
	if set == nil {
		return nil
	}
	if err := t.evaluate(ctx, o, set, split); err != nil {
		return err
	}
	if a := t.progress.Last; a.Accuracy > t.progress.Best {
		t.progress.Best, t.progress.BestStep = a.Accuracy, t.progress.Step
	}
	return nil
}

func (t *Trainer) test(ctx context.Context, o Observer) error {
	return t.evaluate(ctx, o, t.src.Test, "test")
}

func (t *Trainer) evaluate(ctx context.Context, o Observer, set Images, split string) error {
	a, err := t.Evaluate(ctx, set, split)
	if err != nil {
		return err
	}
	if !finite(a.Loss) || !finite(a.LogPx) {
		return &DivergedError{Step: t.progress.Step, Reason: fmt.Sprintf("on the %s set the loss is %v, log p(x) %v", split, a.Loss, a.LogPx)}
	}
	t.progress.Last = a
	return o.Evaluated(t.progress.Step, a)
}

// Evaluate measures accuracy on a set with the weights that would be used: the averaged
// ones where there are any. It ends early when ctx does.
func (t *Trainer) Evaluate(ctx context.Context, set Images, split string) (Accuracy, error) {
	if t.ema != nil {
		defer t.ema.Use()()
	}
	a, err := t.eval.Accuracy(ctx, set)
	a.Split, a.EMA, a.Noise = split, t.ema != nil, t.src.EvalNoise
	return a, err
}

// show reports pictures of the chains.
func (t *Trainer) show(ctx context.Context, o Observer) error {
	if t.buffer == nil {
		return nil
	}
	s, err := t.Samples(ctx)
	if err != nil {
		return err
	}
	return o.Sampled(t.progress.Step, s)
}

// save keeps the present state unless that was done already.
func (t *Trainer) save(o Observer, k Keeper) error {
	now := mark{t.progress.Step, t.progress.Stage, len(t.progress.Rollbacks), true}
	if k == nil || now == t.saved {
		return nil
	}
	path, err := k.Save(t)
	if err != nil {
		return err
	}
	t.saved = now
	return o.Saved(t.progress.Step, path)
}
