package step

import (
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/comm"
	"jem/feed/feedtest"
	"jem/internal/allocs"
	"jem/model"
)

// tape is a device that takes the contract's word on chains: it records the calls of a
// chain's second run and replays them ever after, with another key and without asking for
// its steps again.
type tape struct {
	backend.Device
	calls  []func(key philox.Key)
	on     bool
	at     philox.Key // of the recorded run
	replay int        // runs replayed
}

type tapeChain struct {
	d     *tape
	plain backend.PlainChain
	runs  int
	calls []func(key philox.Key)
}

func (d *tape) NewChain(steps int, step func(k int, key philox.Key)) backend.Chain {
	return &tapeChain{d: d, plain: backend.PlainChain{Steps: steps, Step: step}}
}

func (c *tapeChain) Run(key philox.Key) {
	c.runs++
	if c.runs > 2 {
		c.d.replay++
		for _, call := range c.calls {
			call(key)
		}
		return
	}
	if c.d.on = c.runs == 2; c.d.on {
		c.d.calls, c.d.at = nil, key
	}
	c.plain.Run(key)
	c.calls, c.d.on = c.d.calls, false
}

func (c *tapeChain) Close() {}

// do makes a call and records it.
func (d *tape) do(call func()) {
	call()
	if d.on {
		d.calls = append(d.calls, func(philox.Key) { call() })
	}
}

func (d *tape) SGLDStep(x, g backend.Tensor, key philox.Key, p backend.SGLD) {
	d.Device.SGLDStep(x, g, key, p)
	if d.on {
		after := key.Sub - d.at.Sub
		d.calls = append(d.calls, func(key philox.Key) {
			key.Sub += after
			d.Device.SGLDStep(x, g, key, p)
		})
	}
}

func (d *tape) SignStep(x, g backend.Tensor, a float32) {
	d.do(func() { d.Device.SignStep(x, g, a) })
}

func (d *tape) UnitStep(x, g backend.Tensor, a float32) {
	d.do(func() { d.Device.UnitStep(x, g, a) })
}

func (d *tape) Project(x, centre backend.Tensor, b backend.Ball) {
	d.do(func() { d.Device.Project(x, centre, b) })
}

func (d *tape) LeakyReLU(y, x backend.Tensor, slope float32) {
	d.do(func() { d.Device.LeakyReLU(y, x, slope) })
}

func (d *tape) LeakyReLUGrad(dx, dy, y backend.Tensor, slope float32) {
	d.do(func() { d.Device.LeakyReLUGrad(dx, dy, y, slope) })
}

func (d *tape) Axpy(y backend.Tensor, a float32, x backend.Tensor) {
	d.do(func() { d.Device.Axpy(y, a, x) })
}

func (d *tape) AvgPool(y, x backend.Tensor) { d.do(func() { d.Device.AvgPool(y, x) }) }
func (d *tape) AvgPoolGrad(dx, dy, act backend.Tensor, slope float32) {
	d.do(func() { d.Device.AvgPoolGrad(dx, dy, act, slope) })
}
func (d *tape) Linear(y, x, w, b backend.Tensor) { d.do(func() { d.Device.Linear(y, x, w, b) }) }
func (d *tape) LinearInputGrad(dx, dy, w backend.Tensor) {
	d.do(func() { d.Device.LinearInputGrad(dx, dy, w) })
}
func (d *tape) LogitGrad(dl, l, labels, coef backend.Tensor) {
	d.do(func() { d.Device.LogitGrad(dl, l, labels, coef) })
}

func (d *tape) NewNorm(s backend.NormSpec, gamma, beta, mean, variance backend.Tensor) backend.Norm {
	return tapeNorm{d.Device.NewNorm(s, gamma, beta, mean, variance), d}
}

type tapeNorm struct {
	backend.Norm
	d *tape
}

func (n tapeNorm) Forward(y, x backend.Tensor, mode backend.NormMode) {
	n.d.do(func() { n.Norm.Forward(y, x, mode) })
}

func (n tapeNorm) InputGrad(dx, dy, x backend.Tensor) {
	n.d.do(func() { n.Norm.InputGrad(dx, dy, x) })
}

func (d *tape) NewConv(s backend.ConvSpec, w, b backend.Tensor) backend.Conv {
	return tapeConv{d.Device.NewConv(s, w, b), d}
}

type tapeConv struct {
	backend.Conv
	d *tape
}

func (c tapeConv) Forward(raw, act, x, residual backend.Tensor) {
	c.d.do(func() { c.Conv.Forward(raw, act, x, residual) })
}

func (c tapeConv) InputGrad(dx, dy, act, residual backend.Tensor) {
	c.d.do(func() { c.Conv.InputGrad(dx, dy, act, residual) })
}

// Training on a device that replays recorded chains ends with the bits of plain training:
// the sampler, the model and the trainer keep what Chainer promises a device. Both kinds of
// chains run, with labels that change from step to step.
func TestChainsCanBeRecordedAndReplayed(t *testing.T) {
	const steps = 5
	cfg := feedtest.ToyConfig()
	cfg.Objective.PXY, cfg.Objective.ClassCond = 1, true
	cfg.Train.Steps = steps
	trained := func(d backend.Device) (params, buffer []float32) {
		s, err := New(d, cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range steps {
			if _, err := s.Take(At{Step: i}, nil); err != nil {
				t.Fatal(err)
			}
		}
		params, buffer = make([]float32, backend.Len(s.Net.Params.Value)), make([]float32, backend.Len(s.Buffer.Images))
		if err := d.Download(params, s.Net.Params.Value); err != nil {
			t.Fatal(err)
		}
		if err := d.Download(buffer, s.Buffer.Images); err != nil {
			t.Fatal(err)
		}
		return params, buffer
	}
	recording := &tape{Device: open(t, 1)}
	params, buffer := trained(open(t, 1))
	replayed, images := trained(recording)
	if want := 2 * (steps - 2); recording.replay != want {
		t.Errorf("%d chains were replayed, want %d", recording.replay, want)
	}
	if !slices.Equal(params, replayed) || !slices.Equal(buffer, images) {
		t.Error("replayed chains led elsewhere")
	}
}

// Once warm, a step allocates a bounded number of small objects whatever K is: the chain
// itself allocates nothing.
func TestChainAllocatesNothing(t *testing.T) {
	cfg := feedtest.ToyConfig()
	s, err := New(open(t, 2), cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := s.Take(At{Step: i}, nil); err != nil {
			t.Fatal(err)
		}
	}
	moves := s.Batch.Views[s.Batch.Part(model.ChainPX)].mover.chains
	if n := allocs.PerRun(5, func() { moves.Move(cfg.Train.Batch, 0, cfg.Sampler.Steps, s.keys.chain) }); n != 0 {
		t.Errorf("%v allocations in a chain of %d steps", n, cfg.Sampler.Steps)
	}
}

func open(t testing.TB, threads int) backend.Device {
	t.Helper()
	// With direct convolutions a chain has the bits of its calls made one by one.
	d, err := cpu.Open(cpu.Options{Threads: threads, ConvAlgo: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
