package toy

import (
	"context"
	"time"

	"jem/backend"
	"jem/backend/philox"
	"jem/comm"
	"jem/config"
	"jem/feed"
	"jem/sampler"
	"jem/train"
)

// The demonstration's measures.
const (
	gridSide, snapshotSide = 128, 80
	snapshotCount          = 20
	chains, frames         = 96, 60
	framesApart            = 2 // SGLD steps
)

// Options say what a demonstration is of.
type Options struct {
	Data     Data
	Settings config.Config                   // see Settings
	Watch    func(what string, done, of int) // told of each training step, of both networks; may be nil
}

// Make trains on points, and the same network by log p(y|x) alone, and asks both. It ends with ctx's error when that ends.
func Make(ctx context.Context, dev backend.Device, o Options) (*Result, error) {
	begun := time.Now()
	r := &Result{Name: o.Data.Name, Classes: o.Data.Classes, Train: o.Data.Train, HeldOut: o.Data.HeldOut}
	p := around(r.Train)
	r.Window = p.window()
	m := &maker{dev: dev, plane: p, result: r, cfg: o.Settings, watch: o.Watch, held: p.imagesOf(r.HeldOut)}
	if err := m.train(ctx); err != nil {
		return nil, err
	}
	m.truth(o.Data.density)
	text, err := config.Document(o.Settings)
	r.Run = Run{Recipe: "jem", Seed: m.cfg.Seed, Steps: m.steps(), Device: dev.Name(), Settings: []byte(text), Training: m.training, Total: time.Since(begun)}
	return r, err
}

type maker struct {
	dev      backend.Device
	plane    plane
	result   *Result
	cfg      config.Config
	watch    func(what string, done, of int)
	held     labeled
	training time.Duration
	logZ     float64 // of the window in the data's units
	step     int     // of training, for what is said of a divergence
}

// steps are those of either network's training.
func (m *maker) steps() int {
	return m.cfg.TotalSteps(stepsPerEpoch(len(m.result.Train.X), m.cfg.Train.Batch))
}

func (m *maker) sources() feed.Sources {
	s := &stream{labeled: m.plane.imagesOf(m.result.Train), batch: m.cfg.Train.Batch, key: philox.New(m.cfg.Seed, 0, philox.OrderPX)}
	return feed.Sources{PX: s, Labeled: s, Start: sampler.Uniform{}, Classes: m.result.Classes, Channels: 2, Size: 1}
}

func (m *maker) train(ctx context.Context) error {
	begun := time.Now()
	tr, err := train.New(m.dev, m.cfg, m.sources(), comm.Local{})
	if err != nil {
		return err
	}
	w := &watch{m: m, jem: tr.Model()}
	if err := w.snapshot(0); err != nil {
		return err
	}
	if err := tr.Run(ctx, w, nil); err != nil {
		return err
	}
	m.training = time.Since(begun)
	if err := m.ask(tr.Model()); err != nil {
		return err
	}
	if err := m.walk(tr.Model()); err != nil {
		return err
	}
	soft := m.cfg
	soft.Objective = config.Objective{PYX: 1}
	twin, err := train.New(m.dev, soft, m.sources(), comm.Local{})
	if err != nil {
		return err
	}
	if err := twin.Run(ctx, &told{m: m, what: "its twin by log p(y|x) alone"}, nil); err != nil {
		return err
	}
	return m.compare(tr.Model(), twin.Model())
}
