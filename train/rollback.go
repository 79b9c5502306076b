package train

import (
	"context"
	"errors"
	"fmt"

	"jem/internal/checkpoint"
)

// Keeper keeps the states of a run in progress, so that it can end and go on at any time.
// Package train/journal has the one of a run folder.
type Keeper interface {
	// Save fixes the trainer's present state, see Trainer's Snapshot, and what is to be remembered with
	// it. write puts them on the disk and returns their folder. It is called once, perhaps from another
	// goroutine while training goes on; until it returns the trainer calls nothing of the keeper.
	Save(t *Trainer) (write func() (path string, err error), err error)
	// Before loads the newest usable state of an earlier step than step. damaged holds
	// the reason for each newer one that was skipped. The error wraps checkpoint.ErrNone
	// if there is none.
	Before(step int) (c *checkpoint.Checkpoint, damaged []error, err error)
	// At loads the state of a step, which another rank has named.
	At(step int) (*checkpoint.Checkpoint, error)
	// Return makes c, which the trainer has been restored to, the newest state: later
	// ones are removed.
	Return(c *checkpoint.Checkpoint) error
}

// Rollback is a return to an earlier state after a divergence.
type Rollback struct {
	At     int    `json:"at"`     // the step that was not taken, from 1
	To     int    `json:"to"`     // steps taken in the state returned to
	Reason string `json:"reason"` // what was seen
}

// rollBack restores the last good state in answer to a divergence, with new random numbers.
// It returns the divergence itself where there is nothing to return to or the budget is
// spent, and what else goes wrong on the way back instead of it.
//
// The state is saved again with the rollback in it, so that a run that is killed goes on
// from there. A process that dies before that repeats the divergence, which is a function
// of the state, and then the rollback.
func (t *Trainer) rollBack(o Observer, k Keeper, d *DivergedError) error {
	if err := t.settle(o, nil); err != nil { // the newest state may be on its way yet
		return err
	}
	d.Rollbacks = t.progress.Rollbacks
	if k == nil || t.spent(d.Step) {
		return d
	}
	history, lengths := t.progress.Rollbacks, t.progress.Lengths
	c, damaged, err := t.goBack(k, d.Step)
	switch {
	case errors.Is(err, checkpoint.ErrNone):
		return errors.Join(d, err)
	case err != nil:
		return unreturned(d, err)
	}
	history = append(history, Rollback{At: d.Step, To: c.Step, Reason: d.Reason})
	t.progress.Rollbacks, t.progress.Reseed, t.progress.Lengths = history, uint64(len(history)), lengths
	if err := t.accord.Lead(func(context.Context) error { return k.Return(c) }); err != nil {
		return unreturned(d, err)
	}
	err = t.accord.Lead(func(context.Context) error {
		for _, e := range damaged {
			if err := o.Note(c.Step, "skipped a damaged checkpoint: "+e.Error()); err != nil {
				return err
			}
		}
		return o.RolledBack(d, history[len(history)-1])
	})
	if err != nil {
		return err
	}
	return t.save(o, k)
}

// unreturned is a fault on the way back. It isn't a *DivergedError: once it is cured the run goes on.
func unreturned(d *DivergedError, err error) error {
	return fmt.Errorf("step %d diverged (%s), and the way back fails: %w", d.Step, d.Reason, err)
}

// goBack restores the state to return to after a divergence at a step: the first rank chooses it, all
// read it.
func (t *Trainer) goBack(k Keeper, step int) (c *checkpoint.Checkpoint, damaged []error, err error) {
	err = t.accord.Lead(func(context.Context) (err error) { c, damaged, err = t.target(k, step); return err })
	if err != nil {
		return nil, nil, err
	}
	to := int64(0)
	if c != nil {
		to = int64(c.Step)
	}
	if to, err = t.comm.Max(to); err != nil { // which only the first one knows
		return nil, nil, err
	}
	err = t.accord.During(func(context.Context) (err error) {
		if c == nil {
			c, err = k.At(int(to))
		}
		if err == nil {
			err = t.Restore(c)
		}
		return err
	})
	return c, damaged, err
}

// spent reports whether the budget of rollbacks is used up for a divergence at a step.
func (t *Trainer) spent(step int) bool {
	g, recent := t.cfg.Guard, 0
	for _, r := range t.progress.Rollbacks {
		if g.Period == 0 || r.At > step-g.Period {
			recent++
		}
	}
	return recent >= g.Budget
}

// target loads the state to return to after a divergence at a step: the newest, or, soon
// after another rollback, one before that one's. The oldest one serves again and again.
func (t *Trainer) target(k Keeper, step int) (*checkpoint.Checkpoint, []error, error) {
	n := len(t.progress.Rollbacks)
	if n == 0 || step-t.progress.Rollbacks[n-1].To > t.cfg.Guard.Suspect {
		return k.Before(step)
	}
	last := t.progress.Rollbacks[n-1].To
	c, damaged, err := k.Before(last)
	if errors.Is(err, checkpoint.ErrNone) {
		return k.Before(last + 1)
	}
	return c, damaged, err
}
