package train

import (
	"context"
	"errors"
	"fmt"

	"jem/backend"
	"jem/comm"
	"jem/config"
	"jem/feed"
	"jem/model"
	"jem/predict"
	"jem/train/step"
)

// Trainer is one run in progress: the step that is repeated, and the course: what has been
// done, what is due, what to do when a step diverges. It belongs to one goroutine, its
// device's.
type Trainer struct {
	cfg  config.Config
	dev  backend.Device
	src  feed.Sources
	step *step.Step
	eval *predict.Evaluator

	comm     comm.Comm
	accord   *comm.Accord // of the present Run
	progress Progress
	saved    mark      // of the latest checkpoint, which may be on its way yet
	writing  *writing  // the one on its way; nil: none
	room     bool      // for host
	host     []float32 // what Snapshot copies to, kept from one to the next
}

// Progress is the part of a run's state that is not tensors.
type Progress struct {
	Step      int                        `json:"step"`            // steps taken
	Stage     int                        `json:"stage,omitempty"` // what of between has been done after that step
	Reseed    uint64                     `json:"reseed"`          // rollbacks so far: each has random numbers of its own
	Rollbacks []Rollback                 `json:"rollbacks,omitempty"`
	Baseline  Baseline                   `json:"baseline"` // of the loss, for the guard
	BestStep  int                        `json:"best_step"`
	Best      float64                    `json:"best"` // accuracy, or cross-entropy, at BestStep: see config.Loop's Best
	Last      predict.Accuracy           `json:"last"` // latest evaluation
	Initial   *Initial                   `json:"initial,omitempty"`
	Curricula map[string]step.Curriculum `json:"curricula,omitempty"` // of negatives, by name
	Lengths   []Length                   `json:"lengths,omitempty"`   // changes of the run's length that moved the end of a cosine
}

func (p *Progress) mark() mark {
	return mark{p.Step, p.Stage, len(p.Rollbacks), len(p.Lengths), true}
}

// mark names a state within a run.
type mark struct {
	step, stage, rollbacks, lengths int
	any                             bool // false: none yet
}

// New builds the run's network, buffer and optimiser on the device, for this rank of the
// run's. The configuration must be valid; one that the machine has no memory for is a *settings.Error.
func New(dev backend.Device, cfg config.Config, src feed.Sources, c comm.Comm) (*Trainer, error) {
	room, err := step.Affordable(dev, &cfg, src, c.Size())
	if err != nil {
		return nil, err
	}
	s, err := step.New(dev, cfg, src, c)
	if err != nil {
		return nil, err
	}
	if src.Test != nil {
		src.Test = feed.Head(src.Test, cfg.Train.TestLimit)
	}
	t := &Trainer{cfg: cfg, dev: dev, src: src, comm: c, accord: comm.NewAccord(context.Background(), c), step: s, eval: predict.NewEvaluator(dev, s.Net)}
	t.room = room && t.roomy()
	return t, nil
}

// Model is the network being trained.
func (t *Trainer) Model() *model.JEM { return t.step.JEM }

// Progress tells how far the run is.
func (t *Trainer) Progress() Progress { return t.progress }

// StepsPerEpoch is the number of steps an epoch takes.
func (t *Trainer) StepsPerEpoch() int { return t.step.StepsPerEpoch() }

// TotalSteps is the number of steps of the whole run.
func (t *Trainer) TotalSteps() int { return t.step.TotalSteps() }

// Done reports whether nothing is left to do.
func (t *Trainer) Done() bool { return t.progress.Step >= t.TotalSteps() && t.progress.Stage == 0 }

// Run trains from the present state to the end, evaluating, sampling and saving as
// configured. k keeps states; without one nothing is saved, and a divergence ends the run.
// Checkpoints are written while training goes on; all of them are on the disk when Run returns.
//
// After a cancelled ctx the state is saved and Run returns context.Canceled, or else why it could not be saved; evaluations
// break off for that and are done again when the run goes on. A *DivergedError says that
// the guard's budget of rollbacks is spent. Whatever the course, the end is a function of
// configuration and data.
//
// Of several ranks each has a ctx, an observer and a keeper of its own. Where one of them wants to stop
// all do, after the same step, and errors are those of comm.Accord: all ranks return after the same round,
// unless comm.Lost. The keeper and what follows from evaluations are for the first rank; the others' keepers
// only read.
func (t *Trainer) Run(ctx context.Context, o Observer, k Keeper) error {
	t.accord = comm.NewAccord(ctx, t.comm)
	ctx = t.accord.Context()
	if k != nil && t.comm.Rank() == 0 {
		t.reserve()
	}
	err := t.begin(o, k)
	for err == nil && !t.Done() {
		err = t.advance(ctx, o, k)
		if diverged := (*DivergedError)(nil); errors.As(err, &diverged) {
			err = t.rollBack(o, k, diverged)
		}
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = instead(ctx, err, t.save(o, k))
	}
	return instead(ctx, err, t.settle(o, err))
}

// instead is what a run ends with whose last state can't be saved: if it was to stop, that it could not, for who
// hears that it stopped takes the state for saved.
func instead(ctx context.Context, err, unsaved error) error {
	if unsaved != nil && errors.Is(err, ctx.Err()) {
		return unsaved
	}
	return errors.Join(unsaved, err)
}

// begin shows the first chains and saves the first state, so that there always is one.
func (t *Trainer) begin(o Observer, k Keeper) error {
	if err := t.compare(); err != nil {
		return err
	}
	if t.progress.Step > 0 || t.saved.any {
		return t.tellLength(o, k)
	}
	// A signal may come here, too, but there is little to do yet.
	err := t.accord.Lead(func(ctx context.Context) error { return t.show(context.WithoutCancel(ctx), o) })
	if err != nil {
		return err
	}
	return t.save(o, k)
}

// advance takes a step and does what is due after it, or the rest of that.
func (t *Trainer) advance(ctx context.Context, o Observer, k Keeper) error {
	if err := t.accord.Hold(t.arrived(o)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.progress.Stage == 0 {
		r, err := t.take()
		if err != nil {
			return fmt.Errorf("step %d: %w", t.progress.Step+1, err)
		}
		t.progress.Step++
		t.progress.Stage = 1
		t.comm.At(t.progress.Step)
		if r.Stop {
			t.accord.Stop()
		}
		if err := t.accord.Hold(o.Step(&r)); err != nil {
			return err
		}
		if t.progress.Step%compareEvery == 0 {
			if err := t.compare(); err != nil {
				return err
			}
		}
	}
	return t.between(ctx, o, k)
}

// take takes the next step.
func (t *Trainer) take() (step.Record, error) {
	r, err := t.step.Take(step.At{Step: t.progress.Step, Reseed: t.progress.Reseed, Stop: t.accord.Wants()}, t.guard)
	if strayed := (*step.StrayedError)(nil); errors.As(err, &strayed) {
		err = &DivergedError{Step: r.Step, Reason: strayed.Reason, Record: r}
	}
	t.progress.Curricula = t.step.Curricula()
	if diverged := (*DivergedError)(nil); err != nil && !errors.As(err, &diverged) && t.comm.Size() > 1 && !comm.Lost(err) {
		err = &comm.AloneError{Err: err} // the others are in a round of the step
	}
	return r, err
}

// betweenStages is the number of stages between two steps.
const betweenStages = 3

// between does what is due after a step, in stages: evaluations, pictures, checkpoint. The
// progress says which have been done; an interrupted run goes on with the next one.
func (t *Trainer) between(ctx context.Context, o Observer, k Keeper) error {
	l, last := t.cfg.Train, t.progress.Step == t.TotalSteps()
	stages := [betweenStages]struct {
		due bool
		do  func(context.Context, Observer) error
	}{
		{last || t.due(l.EvalEvery), t.validate},
		{last && t.src.Valid != nil && t.src.Test != nil, t.test},
		{last || t.due(l.SampleEvery), func(_ context.Context, o Observer) error {
			return t.accord.Lead(func(ctx context.Context) error { return t.show(ctx, o) })
		}},
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

// due reports whether something that happens every n steps, see config.Loop's Interval, happens now.
func (t *Trainer) due(n int) bool {
	return t.progress.Step%t.cfg.Train.Interval(n, t.StepsPerEpoch()) == 0
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
	t.rate(t.progress.Last)
	return nil
}

// rate holds an evaluation against the best one so far, whose checkpoint is kept; of equals the
// earlier counts.
func (t *Trainer) rate(a predict.Accuracy) {
	p, figure := &t.progress, a.Accuracy
	better := figure > p.Best
	if t.cfg.Train.Best == config.BestNLL {
		figure = a.Loss
		better = p.BestStep == 0 || figure < p.Best
	}
	if better {
		p.Best, p.BestStep = figure, p.Step
	}
}

func (t *Trainer) test(ctx context.Context, o Observer) error {
	return t.evaluate(ctx, o, t.src.Test, "test")
}

// show reports pictures of the chains.
func (t *Trainer) show(ctx context.Context, o Observer) error {
	if !t.step.Shows() {
		return nil
	}
	s, err := samples(ctx, t)
	if err != nil {
		return err
	}
	return o.Sampled(t.progress.Step, s)
}

// save keeps the present state unless that was done already. It comes to the disk while training goes on,
// see settle, where there is room for a copy of it. One that isn't the same on all ranks is none.
func (t *Trainer) save(o Observer, k Keeper) error {
	now := t.progress.mark()
	if k == nil || now == t.saved {
		return t.accord.Check(nil)
	}
	if err := t.compare(); err != nil {
		return err
	}
	err := t.accord.Lead(func(context.Context) error {
		if err := t.arrive(o); err != nil {
			return err
		}
		write, err := k.Save(t)
		if err != nil {
			return err
		}
		t.writing = toDisk(now.step, write, t.room)
		if t.room {
			return nil
		}
		return t.arrive(o)
	})
	if err == nil {
		t.saved = now
	}
	return err
}
