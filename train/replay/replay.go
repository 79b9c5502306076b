package replay

import (
	"fmt"

	"jem/backend"
	"jem/backend/philox"
	"jem/comm"
	"jem/config"
	"jem/feed"
	"jem/model"
	"jem/sampler"
	"jem/train/step"
)

// Repeat repeats a training step recorded from the official code (the trainer's own loss,
// gradients and update, on the recorded parameters, images and SGLD noise) and compares
// the results with the recording.
func Repeat(dev backend.Device, g *Step) (Outcome, error) {
	r, err := newReplay(dev, g)
	if err != nil {
		return Outcome{}, err
	}
	kinks, err := r.run()
	if err != nil {
		return Outcome{}, fmt.Errorf("replay %s: %w", g.Name, err)
	}
	return Outcome{Step: g.Name, Groups: g.Compare(r.got), Kinks: kinks}, nil
}

// replay is a recorded step being repeated.
type replay struct {
	*step.Step
	dev      backend.Device
	sgld     sampler.SGLD
	recorded *Step
	got      Values // what was computed, under the names of the file
}

func newReplay(dev backend.Device, g *Step) (*replay, error) {
	cfg := goldenConfig(g.Config)
	s, err := step.New(dev, cfg, goldenSources(g), comm.Local{})
	return &replay{Step: s, dev: dev, sgld: cfg.SGLD(), recorded: g, got: Values{}}, err
}

// run is Step.Take on what was recorded.
func (r *replay) run() (Kinks, error) {
	var record step.Record
	if err := r.differentiated(&record); err != nil {
		return Kinks{}, err
	}
	kinks, err := r.settle()
	if err != nil {
		return kinks, err
	}
	if err := r.Update(step.At{}, &record); err != nil {
		return kinks, err
	}
	return kinks, r.collect(&record)
}

// differentiated goes as far as the parameter gradients, and keeps the activations.
func (r *replay) differentiated(record *step.Record) error {
	if err := r.adopt(r.recorded.Params("param0/")); err != nil {
		return err
	}
	if err := r.Load(step.At{}); err != nil {
		return err
	}
	if err := r.chains(); err != nil {
		return err
	}
	if err := r.Differentiate(step.At{}, record); err != nil {
		return err
	}
	r.Forward(step.At{}) // units may have to be looked at, and their gradients taken again
	return nil
}

func goldenConfig(c Config) config.Config {
	return config.Config{
		Model:     config.Model{Depth: c.Depth, Width: c.Width, Norm: "none", Slope: float32(c.Slope)},
		Objective: config.Objective{PX: float32(c.PX), PYX: float32(c.PYX), PXY: float32(c.PXY)},
		Sampler:   config.Sampler{Steps: c.Steps, StepSize: float32(c.StepSize), Noise: float32(c.Noise), Buffer: c.Classes},
		Optim: config.Optim{
			Name: c.Optimizer, LR: float32(c.LR), Beta1: float32(c.Beta1), Beta2: float32(c.Beta2),
			Eps: float32(c.Eps), Momentum: float32(c.Momentum), WeightDecay: float32(c.WeightDecay),
		},
		Train: config.Loop{Batch: c.Batch},
	}
}

// recorded is a stream of one recorded batch.
type recorded struct {
	images []float32
	labels []int32
}

func (r recorded) Batch(int) ([]float32, []int32, error) { return r.images, r.labels, nil }
func (r recorded) StepsPerEpoch() int                    { return 1 }

func goldenSources(g *Step) feed.Sources {
	y := g.YLab()
	return feed.Sources{
		PX: recorded{g.XP(), y}, Labeled: recorded{g.XLab(), y}, Start: sampler.Uniform{},
		Classes: make([]string, g.Config.Classes), Channels: g.Image[0], Size: g.Image[1],
	}
}

// adopt sets all parameters.
func (r *replay) adopt(params map[string]Tensor) error {
	for _, p := range r.Net.Params.List {
		v, ok := params[p.Name]
		if !ok || v.Len() != backend.Len(p.Value) {
			return fmt.Errorf("param0/%s: %d values, this network has %d", p.Name, v.Len(), backend.Len(p.Value))
		}
		r.dev.Upload(p.Value, v.F32)
	}
	r.dev.ParamsChanged()
	return nil
}

// chains moves the recorded chains, in place of those of the replay buffer.
func (r *replay) chains() error {
	b := r.Batch
	if c, ok := r.recorded.Chain(); ok && b.Part(model.ChainPX) >= 0 {
		if err := r.chain(r.JEM, b.Views[b.Part(model.ChainPX)], c, true); err != nil {
			return err
		}
	}
	if c, ok := r.recorded.JointChain(); ok && b.Part(model.ChainXY) >= 0 {
		v := b.Views[b.Part(model.ChainXY)]
		return r.chain(model.Given{JEM: r.JEM, Labels: v.Labels, Climb: model.ClimbLogit}, v, c, false)
	}
	return nil
}

// chain is sampler.SGLD with recorded normals ε: x + α·g by the device's step without
// noise, then σ·ε. It keeps the first gradient and every position if asked to.
func (r *replay) chain(target sampler.Target, v step.View, c Chain, keep bool) error {
	d := r.dev
	d.Upload(v.X, c.Start)
	noise := d.New(backend.Image, v.X.Shape()...)
	for k, z := range c.Noise {
		target.LogDensityGrad(v.Grad, v.X)
		p := r.sgld.At(k)
		sigma := p.Noise
		p.Noise = 0
		if keep && k == 0 {
			if err := r.keep("sgld/grad0", v.Grad); err != nil {
				return err
			}
		}
		d.SGLDStep(v.X, v.Grad, philox.Key{}, p)
		d.Upload(noise, z)
		d.Axpy(v.X, sigma, noise)
		if keep {
			if err := r.keep(fmt.Sprintf("sgld/x%d", k+1), v.X); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *replay) keep(name string, t backend.Tensor) error {
	r.got[name] = make([]float32, backend.Len(t))
	return r.dev.Download(r.got[name], t)
}

// collect reads what gradients have not read: loss terms, outputs and new parameters.
func (r *replay) collect(rec *step.Record) error {
	r.got.Loss(map[string]float64{
		"l_px": rec.PX, "f_xp": rec.LogPxPos, "f_xq": rec.LogPxNeg,
		"l_pyx": rec.PYX, "l_pxy": rec.PXY, "L": rec.L,
	})
	k, lo := r.Net.Config.Classes, 0
	for _, p := range r.Batch.Parts {
		logits := r.Batch.Logits[lo*k : (lo+p.N)*k]
		switch p.Role {
		case model.DataPX:
			r.got["out/lse_xp"] = logSumExps(logits, k)
		case model.ChainPX:
			r.got["out/lse_xq"] = logSumExps(logits, k)
		case model.Labeled:
			r.got["out/logits_xlab"] = logits
		}
		lo += p.N
	}
	for _, p := range r.Net.Params.List {
		if err := r.keep("param1/"+p.Name, p.Value); err != nil {
			return err
		}
	}
	return nil
}

// gradients reads the parameter gradients and compares them.
func (r *replay) gradients() (Comparison, error) {
	for _, p := range r.Net.Params.List {
		if err := r.keep("grad/"+p.Name, p.Grad); err != nil {
			return Comparison{}, err
		}
	}
	return r.recorded.CompareGrad(r.got), nil
}

func logSumExps(logits []float32, k int) []float32 {
	var out []float32
	for ; len(logits) > 0; logits = logits[k:] {
		out = append(out, float32(model.LogSumExp(logits[:k])))
	}
	return out
}
