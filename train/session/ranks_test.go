package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/comm"
	"jem/comm/mem"
	"jem/config"
	"jem/config/settings"
	"jem/internal/claim"
	"jem/internal/rundir"
	"jem/train"
	"jem/train/session"
)

// crew are the ranks of a run on one folder, each with what it opened.
type crew []*fixture

func newCrew(t *testing.T, size int) crew {
	t.Helper()
	c := crew{newFixture(t)}
	c[0].Config.Train.Batch, c[0].Config.Train.Steps = 4, 3
	for range size - 1 {
		f := *c[0]
		c = append(c, &f)
	}
	for _, f := range c[1:] {
		f.Options.Open = f.device
		f.Options.Notes = func(n []string) { f.notes = append(f.notes, n...) }
	}
	return c
}

// ended is what a rank came to.
type ended struct {
	s   *session.Session // nil: it wasn't begun
	err error
}

// train has all ranks begin or go on with the run and train to its end; stopping wants to stop at the first
// step that it hears of, −1: none. The observers are the first rank's.
func (c crew) train(t *testing.T, begin func(session.Options) (*session.Session, error), stopping int, observers ...train.Observer) []ended {
	t.Helper()
	all := make([]ended, len(c))
	var ranks sync.WaitGroup
	for rank, place := range mem.New(len(c), 20*time.Second) {
		o := c[rank].Options
		o.Comm = place
		ranks.Go(func() {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			if rank == stopping {
				stop()
			}
			s, err := begin(o)
			if err == nil {
				err = errors.Join(s.Run(ctx, observers...), s.Close())
			}
			all[rank] = ended{s, err}
			if comm.Lost(err) {
				place.Abort(1, err.Error())
			}
		})
	}
	ranks.Wait()
	for _, f := range c {
		f.nothingOpen()
	}
	return all
}

// files are those of the newest checkpoint, by name.
func files(t *testing.T, folder string, step int) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(rundir.Path(folder).Checkpoints(), fmt.Sprintf("step-%08d", step), "*.safetensors"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no checkpoint of step %d in %s: %v", step, folder, err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(p)] = string(b)
	}
	return all
}

func TestRanksShareARun(t *testing.T) {
	whole := newCrew(t, 2)
	for rank, e := range whole.train(t, session.Create, -1) {
		if e.err != nil || !e.s.Trainer.Done() || string(e.s.Path) != whole[0].Folder {
			t.Fatalf("rank %d: %v", rank, e.err)
		}
	}
	if len(whole[0].notes) == 0 || len(whole[1].notes) > 0 {
		t.Errorf("told %q and %q", whole[0].notes, whole[1].notes)
	}
	starts, err := rundir.ReadEnv(rundir.Path(whole[0].Folder).Env())
	if err != nil || len(starts) != 1 || starts[0].Ranks != 2 || starts[0].Engine != "goroutines" {
		t.Errorf("%+v, %v", starts, err)
	}
	for stopping := range 2 {
		parts := newCrew(t, 2)
		for _, f := range parts {
			f.Config.Data.Dir = whole[0].Config.Data.Dir
		}
		for rank, e := range parts.train(t, session.Begin, stopping) {
			if !errors.Is(e.err, context.Canceled) || e.s.Trainer.Done() {
				t.Fatalf("rank %d: %v", rank, e.err)
			}
		}
		for rank, e := range parts.train(t, session.Begin, -1) {
			if e.err != nil || !e.s.Trainer.Done() {
				t.Fatalf("rank %d: %v", rank, e.err)
			}
		}
		is := files(t, parts[0].Folder, 3)
		for name, want := range files(t, whole[0].Folder, 3) {
			if is[name] != want {
				t.Errorf("rank %d was told to stop: %s is another in the end", stopping, name)
			}
		}
	}
}

// Another number of ranks goes on, and the records say so.
func TestOtherRanksGoOn(t *testing.T) {
	c := newCrew(t, 2)
	c.train(t, session.Create, 1)
	one := crew{c[0]}
	one[0].notes = nil
	if e := one.train(t, session.Resume, -1)[0]; e.err != nil || !e.s.Trainer.Done() {
		t.Fatal(e.err)
	}
	if !strings.Contains(strings.Join(one[0].notes, "\n"), "goes on with 1 rank, 2 before") {
		t.Errorf("told %q", one[0].notes)
	}
}

// Whatever fails on whichever rank before training ends all ranks, one of which says why.
func TestAFailureBeforeTrainingEndsAllRanks(t *testing.T) {
	failures := []struct {
		name   string
		ranks  []int // on which it can happen
		before func(*testing.T, *fixture)
		want   func(error) bool
		begun  bool // there is a run already
	}{
		{"no device", []int{0, 1, 3}, func(_ *testing.T, f *fixture) { f.refuse = func(config.Device) error { return errOpen } }, is(errOpen), false},
		{"no device for the rest", []int{0, 1, 3}, func(_ *testing.T, f *fixture) { f.refuse = func(config.Device) error { return errOpen } }, is(errOpen), true},
		{"foreign folder", []int{0}, func(t *testing.T, f *fixture) {
			if err := errors.Join(os.MkdirAll(f.Folder, 0o777), os.WriteFile(filepath.Join(f.Folder, "mine"), nil, 0o666)); err != nil {
				t.Fatal(err)
			}
		}, is(claim.ErrRefused), false},
		{"folder in use", []int{0}, func(t *testing.T, f *fixture) {
			d, err := rundir.Open(f.Folder)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
		}, as[*rundir.LockedError], true},
	}
	for _, tc := range failures {
		for _, rank := range tc.ranks {
			t.Run(fmt.Sprintf("%s, rank %d", tc.name, rank), func(t *testing.T) {
				c, begin := newCrew(t, 4), session.Create
				if tc.begun {
					for _, e := range c.train(t, session.Create, 0) {
						if !errors.Is(e.err, context.Canceled) {
							t.Fatal(e.err)
						}
					}
					begin = session.Resume
				}
				tc.before(t, c[rank])
				own := 0
				for r, e := range c.all(t, begin) {
					var elsewhere *comm.ElsewhereError
					switch {
					case e.err == nil || e.s != nil || comm.Lost(e.err):
						t.Errorf("rank %d: %v", r, e.err)
					case errors.As(e.err, &elsewhere):
					case tc.want(e.err):
						own++
					default:
						t.Errorf("rank %d: %v", r, e.err)
					}
				}
				if own != 1 {
					t.Errorf("%d ranks say why", own)
				}
			})
		}
	}
}

// all is train without a look at what is open: somebody else may hold the folder.
func (c crew) all(t *testing.T, begin func(session.Options) (*session.Session, error)) []ended {
	t.Helper()
	all := make([]ended, len(c))
	var ranks sync.WaitGroup
	for rank, place := range mem.New(len(c), 20*time.Second) {
		o := c[rank].Options
		o.Comm = place
		ranks.Go(func() {
			s, err := begin(o)
			all[rank] = ended{s, err}
		})
	}
	ranks.Wait()
	for rank, f := range c {
		if f.open != f.closed {
			t.Errorf("rank %d: %d devices opened, %d closed", rank, f.open, f.closed)
		}
	}
	return all
}

// Ranks that differ would not train one network: what differs, and where, is said on all of them alike.
func TestDifferentRanksAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*testing.T, *fixture)
		path   string
		has    []string
	}{
		"a setting":    {func(_ *testing.T, f *fixture) { f.Config.Optim.LR *= 2 }, "optim.lr", []string{"rank 0 has 0.0001", "rank 1 has 0.0002"}},
		"a batch":      {nil, "train.batch", []string{"1, which 2 ranks can't share evenly"}},
		"the folder":   {func(_ *testing.T, f *fixture) { f.Folder += "2" }, "folder", []string{"rank 1 has"}},
		"instructions": {func(_ *testing.T, f *fixture) { f.isa = "another" }, "device.cpu_isa", []string{"rank 1 has another", "--cpu-isa"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrew(t, 2)
			if tc.change == nil { // of both
				c[0].Config.Train.Batch, c[1].Config.Train.Batch = 1, 1
			} else {
				tc.change(t, c[1])
			}
			for rank, e := range c.all(t, session.Create) {
				var fault *settings.Error
				if !errors.As(e.err, &fault) || fault.Faults[0].Path != tc.path {
					t.Fatalf("rank %d: %v", rank, e.err)
				}
				for _, has := range tc.has {
					if !strings.Contains(e.err.Error(), has) {
						t.Errorf("rank %d says %q without %q", rank, e.err, has)
					}
				}
			}
		})
	}
}
