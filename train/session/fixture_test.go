package session_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/config"
	"jem/internal/picture"
	"jem/internal/rundir"
	"jem/train/session"
)

// fixture is a folder of pictures, a run on them, and what was opened for it.
type fixture struct {
	session.Options
	t            *testing.T
	open, closed int
	asked        []string // instruction sets, in order
	notes        []string
	isa          string // that the device claims; empty: its own
	refuse       func(config.Device) error
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{t: t, Options: session.Options{Folder: filepath.Join(dir, "run"), Config: small(pictures(t, filepath.Join(dir, "pictures")))}}
	f.Options.Open = f.device
	f.Options.Notes = func(n []string) { f.notes = append(f.notes, n...) }
	return f
}

// pictures writes two classes of 8 grey pictures of 8×8 pixels, and no test set.
func pictures(t *testing.T, dir string) string {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range 16 {
		img.SetGray(i%8, 0, color.Gray{Y: uint8(100 + 10*i)})
		class := filepath.Join(dir, []string{"dark", "light"}[i%2])
		if err := errors.Join(os.MkdirAll(class, 0o777), picture.WritePNG(filepath.Join(class, fmt.Sprintf("%d.png", i)), img)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// small is two steps of the smallest network.
func small(dir string) config.Config {
	c := config.Default()
	c.Data.Name, c.Data.Dir, c.Data.Valid, c.Data.Crop = "folder", dir, 4, 0
	c.Model.Depth, c.Model.Width = 10, 1
	c.Sampler.Steps, c.Sampler.Buffer = 1, 20
	c.Train.Batch, c.Train.Steps = 2, 2
	c.Device.Threads, c.Device.ConvAlgo = 1, "direct"
	return c
}

// device opens a CPU that is counted.
func (f *fixture) device(d config.Device) (backend.Device, error) {
	f.asked = append(f.asked, d.ISA)
	if f.refuse != nil {
		if err := f.refuse(d); err != nil {
			return nil, err
		}
	}
	dev, err := cpu.Open(cpu.Options{ISA: d.ISA, Threads: d.Threads, ConvAlgo: d.ConvAlgo})
	if err != nil {
		return nil, err
	}
	f.open++
	return &counted{dev, f}, nil
}

type counted struct {
	*cpu.Device
	f *fixture
}

func (c *counted) Close() error {
	c.f.closed++
	return c.Device.Close()
}

func (c *counted) Info() backend.Info {
	info := c.Device.Info()
	if c.f.isa != "" {
		info.ISA = c.f.isa
	}
	return info
}

// train runs a session to its end and closes it.
func (f *fixture) train(s *session.Session, err error) *session.Session {
	f.t.Helper()
	if err == nil {
		err = errors.Join(s.Run(f.t.Context()), s.Close())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.nothingOpen()
	return s
}

// nothingOpen looks whether every device is closed and the folder, where it is a run's, free.
func (f *fixture) nothingOpen() {
	f.t.Helper()
	if f.open != f.closed {
		f.t.Errorf("%d devices opened, %d closed", f.open, f.closed)
	}
	d, err := rundir.Open(f.Folder)
	if locked := (*rundir.LockedError)(nil); errors.As(err, &locked) {
		f.t.Error(err)
	}
	if err == nil {
		if err := d.Close(); err != nil {
			f.t.Error(err)
		}
	}
}

// noted counts the notes in the run's records.
func (f *fixture) noted() (n int) {
	f.t.Helper()
	records, _, err := rundir.ReadMetrics(rundir.Path(f.Folder).Metrics())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, r := range records {
		if r.Kind == "note" {
			n++
		}
	}
	return n
}
