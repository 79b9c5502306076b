package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/philox"
)

func chainChecks() []Check {
	return []Check{{"chain", "gaussian_target", gaussianTarget}, {"chain", "planned", plannedChain}, {"chain", "moves", movingChain}, {"chain", "batch_statistics", normedChain}, {"chain", "offset", offsetChain}, {"chain", "rows", rowsChain}}
}

// plannedChain compares chains that the device plans as a whole with the same calls one by
// one, over several runs with keys and parameters of their own. A device may compute its
// chains in lower precision (bf16 has 2⁻⁹): gradients may differ by 2⁻⁶ of the largest,
// over all steps. Noise of another key, σ = 1, or a gradient by old parameters is far beyond.
func plannedChain(p *Probe) {
	const steps, alpha = 3, 0.01
	c := typical()[0]
	wv := p.random(c.OutC * c.InC * c.Kernel * c.Kernel)
	w := p.put(wv, backend.Dense, c.OutC, c.InC, c.Kernel, c.Kernel)
	plan := p.dev.NewConv(c.ConvSpec, w.Tensor, p.in(backend.Dense, c.OutC).Tensor)
	mover := func() (x, g backend.Tensor, step func(int, philox.Key)) {
		x, g = p.put(make([]float32, size(c.x())), backend.Image, c.x()...).Tensor, p.alloc(backend.Image, c.x()...)
		act := p.alloc(backend.Image, c.y()...)
		return x, g, func(k int, key philox.Key) {
			plan.Forward(nil, act, x, nil)
			plan.InputGrad(g, act, nil, nil)
			p.dev.SGLDStep(x, g, key, backend.SGLD{StepSize: alpha * float32(k+1), Noise: 1})
		}
	}
	x, _, step := mover()
	plainX, plainG, plainStep := mover()
	chain := backend.NewChain(p.dev, steps, step)
	defer chain.Close()
	plain := backend.PlainChain{Steps: steps, Step: plainStep}
	for run := range 4 {
		p.dev.Upload(w.Tensor, p.random(len(wv)))
		p.dev.ParamsChanged()
		key := p.key()
		key.Sub = uint32(10 * run)
		chain.Run(key)
		plain.Run(key)
		largest := 0.0
		for _, v := range p.get(plainG) {
			largest = max(largest, math.Abs(float64(v)))
		}
		bound := alpha * (1 + 2 + 3) * largest / 64
		got, want := p.get(x), p.get(plainX)
		for i, v := range got {
			equal(p, fmt.Sprintf("run %d, element %d", run, i), float64(v), float64(want[i]), bound)
		}
		p.dev.Copy(x, plainX) // both go on from one place
	}
}

// movingChain: every bit of a chain of all moves is that of the calls one by one, from run to run with
// other images, gradients and centres in the same tensors. Its gradient, (y−x)·(x > 0 ? 1 : 0.2),
// is made of verbs that no precision for chains applies to. 37 images make slices of several sizes.
func movingChain(p *Probe) {
	const steps = 3
	shape := []int{37, 3, 4, 4}
	target, centre := p.put(make([]float32, size(shape)), backend.Image, shape...), p.put(make([]float32, size(shape)), backend.Image, shape...)
	mover := func() (x backend.Tensor, step func(int, philox.Key)) {
		x, g := p.alloc(backend.Image, shape...), p.alloc(backend.Image, shape...)
		return x, func(k int, key philox.Key) {
			p.dev.LeakyReLUGrad(g, target.Tensor, x, 0.2)
			p.dev.Axpy(g, -1, x)
			p.dev.SignStep(x, g, 0.1)
			p.dev.Project(x, centre.Tensor, backend.Ball{Radius: 0.4, Lo: -1, Hi: 1})
			p.dev.UnitStep(x, g, float32(k+1))
			p.dev.SGLDStep(x, g, key, backend.SGLD{StepSize: 0.1, Noise: 0.01})
			p.dev.Project(x, centre.Tensor, backend.Ball{Norm: backend.L2, Radius: 1.5, Lo: -1, Hi: 1})
		}
	}
	x, step := mover()
	plainX, plainStep := mover()
	chain := backend.NewChain(p.dev, steps, step)
	defer chain.Close()
	for run := range 4 {
		p.dev.Upload(target.Tensor, p.random(size(shape)))
		p.dev.Upload(centre.Tensor, times(1.2, p.random(size(shape))))
		start := p.random(size(shape))
		p.dev.Upload(x, start)
		p.dev.Upload(plainX, start)
		key := p.key()
		chain.Run(key)
		backend.PlainChain{Steps: steps, Step: plainStep}.Run(key)
		p.same(fmt.Sprint("run ", run), x, p.get(plainX))
	}
}

// normedChain: a chain through a BatchNorm with the batch's own statistics has the bits of its calls,
// and the running statistics stay, which BatchStats promises.
func normedChain(p *Probe) {
	const steps = 3
	c := normCase{backend.NormSpec{Kind: backend.BatchNorm, C: 17, H: 3, W: 3, Eps: 1e-5, Momentum: 0.5}, 9}
	mover := func(o normOperands) (x backend.Tensor, step func(int, philox.Key)) {
		x, y, g := p.alloc(backend.Image, c.shape()...), p.alloc(backend.Image, c.shape()...), p.alloc(backend.Image, c.shape()...)
		return x, func(_ int, key philox.Key) {
			o.plan.Forward(y, x, backend.BatchStats)
			p.dev.LeakyReLU(y, y, 0.2)
			o.plan.InputGrad(g, y, x)
			p.dev.SGLDStep(x, g, key, backend.SGLD{StepSize: 0.1, Noise: 0.01})
		}
	}
	o := normOf(p, c)
	x, step := mover(o)
	plainX, plainStep := mover(o)
	chain := backend.NewChain(p.dev, steps, step)
	defer chain.Close()
	for run := range 3 {
		start, key := p.random(size(c.shape())), p.key()
		p.dev.Upload(x, start)
		p.dev.Upload(plainX, start)
		chain.Run(key)
		backend.PlainChain{Steps: steps, Step: plainStep}.Run(key)
		p.same(fmt.Sprint("run ", run), x, p.get(plainX))
	}
	p.same("running mean", o.running.Tensor, o.running.v)
	p.same("running variance", o.runningSq.Tensor, o.runningSq.v)
}

// gaussianTarget samples N(μ,1) by SGLD with the device's own verbs. With a gradient of
// μ−x the chain is x ← x + α(μ−x) + σε, an autoregression whose law is known at every
// step k: with ρ = 1−α the mean is μ + ρᵏ(x₀−μ), the variance σ²(1−ρ²ᵏ)/(1−ρ²). It is
// compared after 20 steps (on the way) and 2,000 (stationary): the mean of n independent
// chains within five of its standard errors s/√n, the variance within five of s²·√(2/n).
func gaussianTarget(p *Probe) {
	const n, mu, start, rho = 4096, 0.5, -1.0, 0.9
	s := backend.SGLD{StepSize: 1 - rho, Noise: 0.05}
	x, g := p.alloc(backend.Image, n/64, 16, 2, 2), p.alloc(backend.Image, n/64, 16, 2, 2)
	p.dev.Fill(x, start)
	key := p.key()
	for step := 1; step <= 2000; step++ {
		p.dev.Fill(g, mu)
		p.dev.Axpy(g, -1, x)
		p.dev.SGLDStep(x, g, key.At(step, 0), s)
		if step != 20 && step != 2000 {
			continue
		}
		mean, variance := moments(p.get(x))
		shrink := math.Pow(rho, float64(step))
		want := float64(s.Noise) * float64(s.Noise) * (1 - shrink*shrink) / (1 - rho*rho)
		equal(p, fmt.Sprintf("mean after %d steps", step), mean, mu+shrink*(start-mu), 5*math.Sqrt(want/n))
		equal(p, fmt.Sprintf("variance after %d steps", step), variance, want, 5*want*math.Sqrt(2.0/n))
	}
}

func moments(v []float32) (mean, variance float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += float64(x) / n
	}
	for _, x := range v {
		variance += (float64(x) - mean) * (float64(x) - mean) / n
	}
	return mean, variance
}
