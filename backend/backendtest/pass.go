package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/philox"
)

func passChecks() []Check {
	var checks []Check
	for _, c := range []passCase{
		{name: "gradients", sums: true},
		{name: "input_gradient"},
		{name: "norms", normed: true},
		{name: "norms_gradients", normed: true, sums: true},
		{name: "coupled", normed: true, batch: true, mode: backend.MovingStats, sums: true},
		{name: "batch_statistics", normed: true, batch: true, mode: backend.BatchStats, sums: true},
		{name: "running_statistics", normed: true, batch: true, mode: backend.RunningStats, sums: true},
		{name: "nested", sums: true, parts: backend.Pass},
		{name: "interrupted", sums: true, interrupted: true},
	} {
		checks = append(checks, Check{"pass", c.name, func(p *Probe) { passAgrees(p, c) }})
	}
	return append(checks, Check{"pass", "in_a_chain", passInChain}, Check{"pass", "repeated", passRepeated})
}

// passCase is what a pass has besides convolutions, forward and back.
type passCase struct {
	name         string
	normed, sums bool
	batch        bool // the first norm is a BatchNorm, in this mode
	mode         backend.NormMode
	parts        func(d backend.Device, f func()) // how its two halves are called
	interrupted  bool                             // by calls that use what came before
}

// passImages give each of four workers some.
const passImages = 17

// passAgrees compares a pass on working memory with the same calls one by one on ordinary tensors:
// bit for bit what each image has, and sums over images within 64 roundings of the largest. One image
// forgotten in a sum is some 1/17 of that, 10⁴ times as much. The second pass meets working
// memory as the first has left it.
func passAgrees(p *Probe, c passCase) {
	if c.parts == nil {
		c.parts = func(_ backend.Device, f func()) { f() }
	}
	params := newPassParams(p)
	plain := newPassNet(p, c, params, p.dev.New)
	working := newPassNet(p, c, params, func(kind backend.Kind, shape ...int) backend.Tensor {
		return backend.NewWorking(p.dev, kind, shape...)
	})
	for pass := range 2 {
		x, key := p.random(passImages*3*8*8), p.key()
		key.First = uint64(pass) * (1<<32 - 5)
		for _, n := range []*passNet{plain, working} {
			p.dev.Upload(n.x, x)
			for _, t := range n.results() {
				p.dev.Fill(t, 1)
			}
		}
		plain.run(key)
		backend.Pass(p.dev, func() { working.run(key) })
		for i, t := range working.kept {
			p.same(fmt.Sprintf("pass %d, result %d", pass, i), t, p.get(plain.kept[i]))
		}
		for i, t := range working.grads {
			p.close(fmt.Sprintf("pass %d, sum %d", pass, i), t, p.get(plain.grads[i]))
		}
	}
}

// close compares sums that were taken in two orders.
func (p *Probe) close(what string, t backend.Tensor, want []float32) {
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range p.get(t) {
		equal(p, fmt.Sprintf("%s, element %d", what, i), float64(v), float64(want[i]), 64*u*largest)
	}
}

// passRepeated compares a pass that is planned once with its calls made one by one, bit for bit: with other images each time,
// parameters that change in between, and another pass that takes its turns with it.
func passRepeated(p *Probe) {
	params := newPassParams(p)
	c := passCase{normed: true, parts: func(_ backend.Device, f func()) { f() }}
	plain := newPassNet(p, c, params, p.dev.New)
	working := newPassNet(p, c, params, func(kind backend.Kind, shape ...int) backend.Tensor {
		return backend.NewWorking(p.dev, kind, shape...)
	})
	key := p.key()
	repeated := backend.NewRepeated(p.dev, func() { working.run(key) })
	defer repeated.Close()
	other := backend.NewRepeated(p.dev, func() { p.dev.LeakyReLU(working.x, working.x, 0.5) })
	defer other.Close()
	for run := range 4 {
		x := p.random(passImages * 3 * 8 * 8)
		for _, n := range []*passNet{plain, working} {
			p.dev.Upload(n.x, x)
		}
		p.dev.LeakyReLU(plain.x, plain.x, 0.5)
		other.Run()
		if run == 2 {
			p.dev.Upload(params.stemW, p.random(backend.Len(params.stemW)))
			p.dev.ParamsChanged()
		}
		plain.run(key)
		repeated.Run()
		for i, t := range working.kept {
			p.same(fmt.Sprintf("run %d, result %d", run, i), t, p.get(plain.kept[i]))
		}
	}
}

// passInChain: a pass within a step belongs to the chain, which may be computed in bf16. Where that turns the sign
// of an activation around, one of a gradient's many terms changes by four fifths: gradients may
// differ by an eighth of the largest. Those of another mask of Dropout differ by as much as they are.
func passInChain(p *Probe) {
	const steps, alpha = 2, 0.1
	c := passCase{parts: backend.Pass}
	params := newPassParams(p)
	plain := newPassNet(p, c, params, p.dev.New)
	working := newPassNet(p, c, params, func(kind backend.Kind, shape ...int) backend.Tensor {
		return backend.NewWorking(p.dev, kind, shape...)
	})
	step := func(n *passNet) func(k int, key philox.Key) {
		return func(_ int, key philox.Key) {
			backend.Pass(p.dev, func() { n.run(key) })
			p.dev.SGLDStep(n.x, n.dx, key, backend.SGLD{StepSize: alpha, Noise: 0.01})
		}
	}
	chain := backend.NewChain(p.dev, steps, step(working))
	defer chain.Close()
	for run := range 3 {
		x, key := p.random(passImages*3*8*8), p.key()
		p.dev.Upload(plain.x, x)
		p.dev.Upload(working.x, x)
		chain.Run(key)
		backend.PlainChain{Steps: steps, Step: step(plain)}.Run(key)
		want, largest := p.get(plain.x), 0.0
		for _, v := range p.get(plain.dx) {
			largest = max(largest, math.Abs(float64(v)))
		}
		for i, v := range p.get(working.x) {
			equal(p, fmt.Sprintf("run %d, element %d", run, i), float64(v), float64(want[i]), steps*alpha*largest/8)
		}
	}
}
