// Package gauges shows a run in progress to those who watch it from outside, in the text format of Prometheus: as a
// file that is replaced every few seconds, and on a port where one is wanted.
//
//	b, err := gauges.Show(gauges.Options{File: "runs/first/metrics.prom", Run: "first", Steps: 1500})
//	err = s.Run(ctx, b) // a train.Observer
//	err = b.Close()
//
// The training never waits for a reader or a disk: observing takes a lock and copies, everything else is done by
// goroutines of its own. It prints nothing, and doesn't know how a run is kept.
package gauges

import (
	"net"
	"sync"
	"time"

	"jem/internal/durable"
	"jem/predict"
	"jem/train"
	"jem/train/step"
)

// Options say what is shown, and where.
type Options struct {
	File   string       // the text file; "": none
	Listen net.Listener // where /metrics is served, see Listen; nil: nowhere. Close closes it
	// Every is the least time between two versions of the file; 0: 5 s.
	Every time.Duration

	Run     string // the label of all figures, by which a server tells runs of one machine apart
	Version string // of the program
	Device  string // in its own words
	Ranks   int    // 0 is 1

	Step, Steps int       // taken already, and of the whole run
	Rollbacks   int       // so far
	Saved       time.Time // of the checkpoint of Step; zero: there is none

	// Notes hears sentences for the user, from any goroutine; nil: nobody does.
	Notes func([]string)
}

// Board is what is shown: a train.Observer. Its methods but Close are for one goroutine.
type Board struct {
	o     Options
	stop  chan struct{}
	done  sync.WaitGroup
	serve func() error // ends serving
	told  bool         // that the file could not be written; of the goroutine that writes

	mu    sync.Mutex
	shown figures
	fresh bool // shown is newer than the file
}

// Show begins. Errors are those of writing the file for the first time; the listener is closed with any.
func Show(o Options) (*Board, error) {
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	now := time.Now()
	b := &Board{o: o, stop: make(chan struct{}), serve: func() error { return nil }}
	b.shown = figures{running: true, begun: now, moved: now, step: o.Step, rollbacks: o.Rollbacks, evaluations: map[string]evaluation{}}
	if !o.Saved.IsZero() {
		b.shown.saved = &saved{o.Step, o.Saved}
	}
	if o.File != "" {
		if err := durable.Swap(o.File, b.text()); err != nil {
			if o.Listen != nil {
				_ = o.Listen.Close() // nobody has heard of it
			}
			return nil, err
		}
		b.done.Go(b.keep)
	}
	if o.Listen != nil {
		b.answer(o.Listen)
	}
	return b, nil
}

// Close ends serving and leaves a last version of the file, which says that nothing runs any more.
func (b *Board) Close() error {
	b.show(func(f *figures) { f.running = false })
	close(b.stop)
	err := b.serve()
	b.done.Wait()
	if b.o.File != "" {
		b.write()
	}
	return err
}

// keep writes the file where there is something new.
func (b *Board) keep() {
	tick := time.NewTicker(b.o.Every)
	defer tick.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-tick.C:
			b.write()
		}
	}
}

// write replaces the file if there is something new. Why that failed is told once: a run goes on without it.
func (b *Board) write() {
	b.mu.Lock()
	fresh := b.fresh
	b.fresh = false
	b.mu.Unlock()
	if !fresh {
		return
	}
	if err := durable.Swap(b.o.File, b.text()); err != nil && !b.told {
		b.told = true
		b.note("the figures for Prometheus are not up to date: " + err.Error())
	}
}

func (b *Board) note(text string) {
	if b.o.Notes != nil {
		b.o.Notes([]string{text})
	}
}

// show changes what is shown.
func (b *Board) show(change func(*figures)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.shown)
	b.fresh = true
}

// Step implements train.Observer.
func (b *Board) Step(r *step.Record) error {
	b.show(func(f *figures) { f.take(time.Now(), r) })
	return nil
}

// Evaluated implements train.Observer.
func (b *Board) Evaluated(step int, a *predict.Judgement) error {
	b.show(func(f *figures) { f.evaluations[a.Split] = evaluation{step, a.Accuracy.Accuracy, a.Loss} })
	return nil
}

// Sampled implements train.Observer; pictures are not shown.
func (b *Board) Sampled(int, *predict.Samples) error { return nil }

// Saved implements train.Observer.
func (b *Board) Saved(step int, _ string) error {
	b.show(func(f *figures) { f.saved = &saved{step, time.Now()} })
	return nil
}

// RolledBack implements train.Observer.
func (b *Board) RolledBack(_ *train.DivergedError, r train.Rollback) error {
	b.show(func(f *figures) { f.goBack(r.To) })
	return nil
}

// Note implements train.Observer.
func (b *Board) Note(int, string) error {
	b.show(func(f *figures) { f.notes++ })
	return nil
}
