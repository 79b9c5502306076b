package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/config"
	"jem/config/settings"
	"jem/internal/claim"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/train/session"
)

// refusal is something that goes wrong before training. before may change the fixture, whose
// session must then fail as want says.
type refusal struct {
	name   string
	before func(*testing.T, *fixture)
	want   func(error) bool
	opened int // devices
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

var errOpen = errors.New("no device")

// either are refusals whether a run is created or gone on with.
var either = []refusal{
	{"no device", func(_ *testing.T, f *fixture) { f.refuse = func(config.Device) error { return errOpen } }, is(errOpen), 0},
	{"no pictures", func(t *testing.T, f *fixture) { f.Config.Data.Dir = t.TempDir() }, is(fault.ErrMissing), 1},
	{"settings that the pictures don't fit", func(_ *testing.T, f *fixture) { f.Config.Data.Valid = 100 }, as[*settings.Error], 1},
	{"no network", func(_ *testing.T, f *fixture) { f.Config.Model.Depth = 11 }, func(err error) bool { return strings.Contains(err.Error(), "depth") }, 1},
}

func TestCreateClosesAllOnAnError(t *testing.T) {
	for _, tc := range append([]refusal{
		{"foreign folder", func(_ *testing.T, f *fixture) { f.Folder = f.Config.Data.Dir }, is(claim.ErrRefused), 0},
		{"among the pictures", func(_ *testing.T, f *fixture) { f.Folder = filepath.Join(f.Config.Data.Dir, "run") }, as[*claim.OverlapError], 1},
		{"taken meanwhile", func(t *testing.T, f *fixture) {
			f.refuse = func(config.Device) error { return os.Mkdir(f.Folder, 0o777) }
			f.Options.Notes = func([]string) { _ = os.WriteFile(filepath.Join(f.Folder, "mine"), nil, 0o666) }
		}, as[*claim.ForeignError], 1},
	}, either...) {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t)
			tc.before(t, f)
			s, err := session.Create(f.Options)
			if s != nil || err == nil || !tc.want(err) || f.open != tc.opened {
				t.Errorf("%d devices opened: %v", f.open, err)
			}
			f.nothingOpen()
		})
	}
}

func TestResumeClosesAllOnAnError(t *testing.T) {
	run := newFixture(t)
	run.train(session.Create(run.Options))
	for _, tc := range append([]refusal{
		{"no run", func(t *testing.T, f *fixture) { f.Folder = t.TempDir() }, is(fault.ErrMissing), 0},
		{"in use", func(t *testing.T, f *fixture) {
			d, err := rundir.Open(f.Folder)
			if err != nil {
				t.Fatal(err)
			}
			f.Notes = func([]string) { t.Error("went on") }
			t.Cleanup(func() { d.Close() })
		}, as[*rundir.LockedError], 0},
		{"pictures in it", func(t *testing.T, f *fixture) {
			f.Config.Data.Dir = pictures(t, filepath.Join(f.Folder, "samples"))
		}, as[*claim.OverlapError], 1},
		{"weights of another network", func(_ *testing.T, f *fixture) { f.Config.Model.Width = 2 }, func(err error) bool { return strings.HasPrefix(err.Error(), "resume: ") }, 1},
	}, either...) {
		t.Run(tc.name, func(t *testing.T) {
			f := *run
			f.t, f.open, f.closed, f.Changes = t, 0, 0, session.AnyChanges
			f.Options.Open = f.device
			tc.before(t, &f)
			s, err := session.Resume(f.Options)
			if s != nil || err == nil || !tc.want(err) || f.open != tc.opened {
				t.Errorf("%d devices opened: %v", f.open, err)
			}
			if tc.name != "in use" {
				f.nothingOpen()
			}
		})
	}
}
