package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"jem/config"
	"jem/config/settings"
	"jem/internal/rundir"
	"jem/predict"
	"jem/train"
	"jem/train/session"
	"jem/train/step"
)

// watcher looks into the records when it is told of a step, and may then stop the run.
type watcher struct {
	train.Observers // of nobody
	metrics         string
	records         []int // by the time of each step
	stop            context.CancelFunc
}

func (w *watcher) Step(*step.Record) error {
	records, _, err := rundir.ReadMetrics(w.metrics)
	w.records = append(w.records, len(records))
	if w.stop != nil {
		w.stop()
	}
	return err
}

func TestARunIsCreatedStoppedAndGoneOnWith(t *testing.T) {
	f := newFixture(t)
	s, err := session.Begin(f.Options)
	if err != nil {
		t.Fatal(err)
	}
	if string(s.Path) != f.Folder || s.Config.Data.Dir != f.Config.Data.Dir || !strings.HasPrefix(s.Device, "cpu") {
		t.Errorf("%+v", s)
	}
	ctx, stop := context.WithCancel(t.Context())
	w := &watcher{metrics: s.Path.Metrics(), stop: stop}
	if err := errors.Join(s.Run(ctx, w), s.Close(), s.Close()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	f.nothingOpen()
	// The note that there is no test set, then the first step: records come before watchers.
	if len(w.records) != 1 || w.records[0] != 2 || f.noted() != 1 || len(f.notes) != 1 {
		t.Errorf("%d records at each step, %d notes among them, told %q", w.records, f.noted(), f.notes)
	}
	if p := s.Trainer.Progress(); p.Step != 1 {
		t.Errorf("stopped after step %d", p.Step)
	}
	s = f.train(session.Begin(f.Options))
	if !s.Trainer.Done() || f.noted() != 1 || len(f.notes) != 2 {
		t.Errorf("at step %d, %d notes recorded, told %q", s.Trainer.Progress().Step, f.noted(), f.notes)
	}
	// Once more, with nothing to do.
	f.train(session.Resume(f.Options))
}

// The device is asked for the instructions that the run began with; without them it is as
// configured.
func TestARunGoesOnWithItsInstructions(t *testing.T) {
	f := newFixture(t)
	f.train(session.Create(f.Options))
	if f.train(session.Resume(f.Options)); len(f.asked) != 2 || f.asked[0] != "" || f.asked[1] == "" {
		t.Errorf("asked for %q", f.asked)
	}
	f.refuse = func(d config.Device) error {
		if d.ISA != "" {
			return errors.New("unknown instructions")
		}
		return nil
	}
	if f.train(session.Resume(f.Options)); len(f.asked) != 4 || f.asked[3] != "" {
		t.Errorf("asked for %q", f.asked)
	}
}

// Statistics that nothing has measured are no network's: who freezes them hears so.
func TestFrozenStatisticsOfNoNetworkAreNoted(t *testing.T) {
	f := newFixture(t)
	f.Config.Model.Norm, f.Config.Train.FrozenStats = "batch", true
	f.train(session.Create(f.Options))
	if !slices.ContainsFunc(f.notes, func(n string) bool { return strings.HasPrefix(n, "train.frozen_stats: without train.init") }) {
		t.Errorf("told %q", f.notes)
	}
}

func TestOtherNumericsAreRefusedOrNoted(t *testing.T) {
	f := newFixture(t)
	f.train(session.Create(f.Options))
	f.isa, f.notes = "another", nil
	_, err := session.Resume(f.Options)
	if fault := (*settings.Error)(nil); !errors.As(err, &fault) || fault.Faults[0].Path != "device" {
		t.Errorf("got %v", err)
	}
	f.nothingOpen()
	for _, c := range []session.Changes{session.HarmlessChanges, session.AnyChanges} {
		f.Changes, f.notes = c, nil
		if f.train(session.Resume(f.Options)); len(f.notes) != 2 || !strings.Contains(f.notes[1], "now it would be cpu with another") {
			t.Errorf("told %q", f.notes)
		}
	}
}

func TestChangedSettingsAreRefusedOrTaken(t *testing.T) {
	f := newFixture(t)
	f.train(session.Create(f.Options))
	for _, tc := range []struct {
		path    string
		change  func(*config.Config)
		allowed session.Changes // and above
	}{
		{"train.steps", func(c *config.Config) { c.Train.Steps++ }, session.HarmlessChanges},
		{"train.best", func(c *config.Config) { c.Train.Best = config.BestNLL }, session.AnyChanges},
		{"optim.lr", func(c *config.Config) { c.Optim.LR *= 2 }, session.AnyChanges},
	} {
		tc.change(&f.Config)
		for f.Changes = session.NoChanges; f.Changes < tc.allowed; f.Changes++ {
			_, err := session.Resume(f.Options)
			if fault := (*settings.Error)(nil); !errors.As(err, &fault) || len(fault.Faults) != 1 || fault.Faults[0].Path != tc.path {
				t.Errorf("%s, %d: %v", tc.path, f.Changes, err)
			}
			f.nothingOpen()
		}
		f.train(session.Resume(f.Options))
		if saved, err := predict.RunConfig(f.Folder); err != nil || len(settings.Diff(saved, f.Config)) > 0 {
			t.Errorf("%s did not become the run's: %v", tc.path, err)
		}
	}
}
