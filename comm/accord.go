package comm

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Accord is what the ranks of a run agree on: whether to go on, and that none has failed. It is the one way
// through whatever can take long on some ranks, or fail on some of them only: files, images, devices,
// records. Whoever comes to such a place alone would leave the others waiting for ever.
//
// It belongs to one goroutine. All ranks make the same calls in the same order.
type Accord struct {
	Comm
	wanted context.Context // of this rank: its end is a wish to stop
	agreed context.Context // of all ranks: it ends after the same round on each
	stop   context.CancelFunc
	held   error // of this rank, which the others have not heard of yet
}

// NewAccord begins with a context of this rank, whose end is its wish that all stop.
func NewAccord(ctx context.Context, c Comm) *Accord {
	a := &Accord{Comm: c, wanted: ctx, agreed: ctx, stop: func() {}}
	if c.Size() > 1 {
		a.agreed, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	}
	return a
}

// Context ends when all ranks have agreed to stop, on each after the same round. Alone, it is the rank's own.
func (a *Accord) Context() context.Context { return a.agreed }

// Wants reports whether this rank has something that all must stop for: its context has ended, or it
// holds an error.
func (a *Accord) Wants() bool { return a.held != nil || a.wanted.Err() != nil }

// Stop ends Context. Every rank calls it after the same round, in which one or more of them said that they
// want it.
func (a *Accord) Stop() { a.stop() }

// Hold keeps an error that arises between rounds, and which only this rank knows of: the next During fails
// with it on all ranks. Alone, it returns it at once.
func (a *Accord) Hold(err error) error {
	if a.Size() == 1 {
		return err
	}
	a.held = errors.Join(a.held, err)
	return nil
}

// ElsewhereError says that another rank failed, which says why.
type ElsewhereError struct {
	Rank int   // the first one that failed
	Own  error // of this rank, if it failed, too
}

func (e *ElsewhereError) Error() string {
	if e.Own != nil {
		return fmt.Sprintf("rank %d failed, and so did this one: %v", e.Rank, e.Own)
	}
	return fmt.Sprintf("rank %d failed", e.Rank)
}

// AloneError is an error of this rank of which the others don't know, and that they wait for it. Only Abort
// gets them out of that.
type AloneError struct{ Err error }

func (e *AloneError) Error() string { return e.Err.Error() }

func (e *AloneError) Unwrap() error { return e.Err }

// Lost reports whether the other ranks can't be spoken with any more: they are gone, or wait for something
// that this one will not come to. Then only Abort is left.
func Lost(err error) bool {
	var peer *PeerError
	var alone *AloneError
	return errors.As(err, &peer) || errors.As(err, &alone)
}

// Check is During with what this rank has come to: nil if none has failed.
func (a *Accord) Check(err error) error {
	return a.During(func(context.Context) error { return err })
}

// Lead is During where only the first rank has work.
func (a *Accord) Lead(work func(context.Context) error) error {
	if a.Rank() != 0 {
		work = nil
	}
	return a.During(work)
}

// During lets this rank do its part of an activity, nil for none, while all ranks say in rounds, at most
// longestPause apart, whether they are still at it; it returns when none is. So nobody is taken for dead who
// only has a slow disk, and a wish to stop is heard meanwhile. Work is done in the caller's goroutine and makes
// no calls to the engine. Its context ends when all have agreed to stop, or when a rank has failed or is lost.
//
// The outcome is agreed: if any rank has failed, the first one of them gets its own error and all others an
// *ElsewhereError; else, if the work of any ended because all stop, all get the error of Context. A
// *PeerError comes as it is.
func (a *Accord) During(work func(context.Context) error) error {
	if a.Size() == 1 {
		if work == nil {
			return nil
		}
		return work(a.agreed)
	}
	ctx, cancel := context.WithCancel(a.agreed)
	defer cancel()
	own, done, ends := a.held, make(chan error, 1), make(chan ending, 1)
	a.held = nil
	go func() {
		var e ending
		defer func() {
			if r := recover(); r != nil {
				cancel()
				e.bug = fmt.Sprintf("%v, in a round of the ranks\n\n%s", r, debug.Stack())
			}
			ends <- e
		}()
		e = a.rounds(ctx, cancel, done)
	}()
	if own == nil && work != nil {
		own = work(ctx)
	}
	done <- own
	e := <-ends
	if e.bug != "" {
		panic(e.bug)
	}
	return a.outcome(e, own)
}

// outcome is what a rank's own error is among those of all.
func (a *Accord) outcome(e ending, own error) error {
	switch {
	case e.err != nil:
		return e.err
	case e.failed == a.Rank():
		return own
	case e.failed >= 0:
		return &ElsewhereError{e.failed, own}
	case e.stopped:
		return a.agreed.Err()
	}
	return nil
}

// ending is what the rounds of During came to.
type ending struct {
	failed  int  // the first rank that did; −1: none
	stopped bool // some rank's work ended because all stop
	err     error
	bug     string // the panic that they ended in, which is the caller's then
}

// Between rounds a rank that has work pauses: the longer, the longer that takes.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// What a rank says in a round, one number each.
const (
	saysBusy  = iota // it is still at its work
	saysWants        // it wants all to stop
	saysFailed
	saysStopped // its work ended because all stop, or another failed
	said
)

// rounds goes through rounds until no rank has work. cancel ends ctx, that of this rank's work.
func (a *Accord) rounds(ctx context.Context, cancel func(), done <-chan error) ending {
	mine := [said]bool{saysBusy: true}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if mine[saysBusy] {
			select {
			case own := <-done:
				stopped := ctx.Err() != nil && errors.Is(own, ctx.Err())
				mine = [said]bool{saysFailed: own != nil && !stopped, saysStopped: stopped}
			case <-time.After(pause):
			}
		}
		mine[saysWants] = a.wanted.Err() != nil
		all, err := a.say(mine)
		if err != nil {
			cancel()
			return ending{err: err}
		}
		e := ending{failed: -1}
		var busy, wants bool
		for rank, their := range all {
			busy, wants, e.stopped = busy || their[saysBusy], wants || their[saysWants], e.stopped || their[saysStopped]
			if their[saysFailed] && e.failed < 0 {
				e.failed = rank
				cancel()
			}
		}
		if wants {
			a.stop()
		}
		if !busy {
			return e
		}
	}
}

// say is a round: what each rank says, by rank.
func (a *Accord) say(mine [said]bool) ([][said]bool, error) {
	flat := make([]float32, said*a.Size())
	for i, yes := range mine {
		if yes {
			flat[said*a.Rank()+i] = 1
		}
	}
	if err := a.Gather(flat).Wait(); err != nil {
		return nil, err
	}
	all := make([][said]bool, a.Size())
	for i, v := range flat {
		all[i/said][i%said] = v != 0
	}
	return all, nil
}
