package cpu

import (
	"math"
	"slices"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// norm is the CPU's backend.Norm, for every kind and layout.
//
// Everything is a sum over the pixels of one channel of one image, in float64, one part a
// plane, followed by a sum of those over the images or channels that share statistics, in
// their order. So the results don't depend on threads.
type norm struct {
	d    *Device
	spec backend.NormSpec

	gamma, beta    []float32 // (C)
	mean, variance []float32 // running statistics (C), or nil

	g        geometry
	channels int  // rounded up to whole planes
	n        int  // images of the last Forward
	fixed    bool // which used the running statistics

	mu, rstd            []float64 // (N, channels): what the last Forward used
	sum1, sum2          []float64 // (N, channels): sums over pixels
	scale, shift, slope []float64 // (N, channels): factors of the running pass

	pass  normPass
	lanes []*norm
	uses  []operand // the parameters, in recorded calls
}

// NewNorm implements backend.Planner.
func (d *Device) NewNorm(spec backend.NormSpec, gamma, beta, mean, variance backend.Tensor) backend.Norm {
	spec.CheckParams("NewNorm", gamma, beta, mean, variance)
	p := &norm{d: d, spec: spec, g: newGeometry(spec.C, spec.H, spec.W)}
	p.gamma, p.beta = floats("NewNorm", gamma), floats("NewNorm", beta)
	p.uses = []operand{shared(gamma), shared(beta)}
	p.channels = p.g.blocks * p.g.pixel
	p.pass.lanes = make([]asm.NormPlane, d.workers.n)
	if spec.Kind == backend.BatchNorm {
		p.mean, p.variance = floats("NewNorm", mean), floats("NewNorm", variance)
		p.uses = append(p.uses, total(mean), total(variance))
	}
	return p
}

func (p *norm) resize(n int) {
	p.n = n
	for _, s := range []*[]float64{&p.mu, &p.rstd, &p.sum1, &p.sum2, &p.scale, &p.shift, &p.slope} {
		*s = slices.Grow((*s)[:0], n*p.channels)[:n*p.channels]
		clear(*s)
	}
}

// Forward implements backend.Norm.
func (p *norm) Forward(y, x backend.Tensor, mode backend.NormMode) {
	if r := p.d.recording; r != nil {
		kind := apart
		if mode.Couples(p.spec.Kind) {
			kind = couples
		}
		r.add(kind, func(d *Device, t []backend.Tensor) { p.on(d).Forward(t[0], t[1], mode) }, p.using(out(y), in(x))...).norm = p
		return
	}
	p.resize(p.spec.Images("Norm.Forward", y, x))
	dst, src := floats("Norm.Forward", y), floats("Norm.Forward", x)
	p.fixed = p.spec.Kind == backend.BatchNorm && mode == backend.RunningStats
	if p.fixed {
		p.useRunning()
	} else {
		p.run(passSum, nil, nil, src)
		p.average(p.mu, p.sum1)
		p.run(passSquares, nil, nil, src)
		p.average(p.rstd, p.sum1) // the variance, for now
		if p.spec.Kind == backend.BatchNorm && mode == backend.MovingStats {
			p.updateRunning()
		}
		p.invert()
	}
	for i, r := range p.rstd {
		p.scale[i] = r * p.affine(p.gamma, i)
		p.shift[i] = p.affine(p.beta, i)
	}
	p.run(passApply, dst, nil, src)
}

// using are a recorded call's operands, and the parameters.
func (p *norm) using(of ...operand) []operand { return append(of, p.uses...) }

// invert turns the variances in rstd into 1/√(σ²+ε), 0 for channels that only pad.
func (p *norm) invert() {
	for i, v := range p.rstd {
		p.rstd[i] = 0
		if i%p.channels < p.spec.C {
			p.rstd[i] = 1 / math.Sqrt(v+float64(p.spec.Eps))
		}
	}
}

// useRunning takes mean and variance from the running statistics.
func (p *norm) useRunning() {
	for i := range p.mu {
		p.mu[i], p.rstd[i] = 0, 0
		if c := i % p.channels; c < p.spec.C {
			p.mu[i] = float64(p.mean[c])
			p.rstd[i] = 1 / math.Sqrt(float64(p.variance[c])+float64(p.spec.Eps))
		}
	}
}

// updateRunning moves the running statistics towards the batch's: mean, and the variance
// with Bessel's correction.
func (p *norm) updateRunning() {
	count := float64(p.n * p.spec.H * p.spec.W)
	t := float64(p.spec.Momentum)
	for c := range p.spec.C {
		unbiased := p.rstd[c] * count / math.Max(count-1, 1)
		p.mean[c] += float32(t * (p.mu[c] - float64(p.mean[c])))
		p.variance[c] += float32(t * (unbiased - float64(p.variance[c])))
	}
}

// average sets dst, for each image and channel, to the mean over all elements that share
// its statistics, given the sums over pixels. dst may be sums.
func (p *norm) average(dst, sums []float64) {
	images, channels := 1, 1 // that share statistics
	switch p.spec.Kind {
	case backend.BatchNorm:
		images = p.n
	case backend.LayerNorm:
		channels = p.spec.C
	}
	count := float64(images * channels * p.spec.H * p.spec.W)
	for n := 0; n < p.n; n += images {
		for c := 0; c < p.spec.C; c += channels {
			var total float64
			for i := range images {
				for j := range channels {
					total += sums[(n+i)*p.channels+c+j]
				}
			}
			for i := range images {
				for j := range channels {
					dst[(n+i)*p.channels+c+j] = total / count
				}
			}
		}
	}
}

// InputGrad implements backend.Norm: with g = γ·dy and means taken over the elements that
// share statistics, dx = (g − mean(g) − x̂·mean(g·x̂))/√(σ²+ε); with running statistics
// the means are constants and drop out.
func (p *norm) InputGrad(dx, dy, x backend.Tensor) {
	if r := p.d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { p.on(d).InputGrad(t[0], t[1], t[2]) }, p.using(out(dx), in(dy), in(x))...).norm = p
		return
	}
	p.spec.Images("Norm.InputGrad", dx, x)
	p.gradSums("Norm.InputGrad", dy, x)
	for i := range p.sum1 {
		w := p.affine(p.gamma, i)
		p.sum1[i] *= w
		p.sum2[i] *= w
	}
	if p.fixed {
		clear(p.sum1)
		clear(p.sum2)
	} else {
		p.average(p.sum1, p.sum1)
		p.average(p.sum2, p.sum2)
	}
	for i, r := range p.rstd {
		p.scale[i] = r * p.affine(p.gamma, i)
		p.shift[i] = -r * p.sum1[i]
		p.slope[i] = r * r * p.sum2[i]
	}
	p.run(passInputGrad, floats("Norm.InputGrad", dx), p.pass.dy, p.pass.x)
}

// ParamGrad implements backend.Norm.
func (p *norm) ParamGrad(dgamma, dbeta, x, dy backend.Tensor) {
	if r := p.d.recording; r != nil {
		r.add(sums, func(d *Device, t []backend.Tensor) { p.on(d).ParamGrad(t[0], t[1], t[2], t[3]) }, p.using(total(dgamma), total(dbeta), in(x), in(dy))...).norm = p
		return
	}
	if !isVector(dgamma, p.spec.C) || !isVector(dbeta, p.spec.C) {
		backend.Mismatch("Norm.ParamGrad", dgamma, dbeta)
	}
	p.gradSums("Norm.ParamGrad", dy, x)
	dg, db := floats("Norm.ParamGrad", dgamma), floats("Norm.ParamGrad", dbeta)
	for c := range p.spec.C {
		var g, b float64
		for n := range p.n {
			g += p.sum2[n*p.channels+c]
			b += p.sum1[n*p.channels+c]
		}
		dg[c] += float32(g)
		db[c] += float32(b)
	}
}

// gradSums sets sum1 to Σ dy and sum2 to Σ dy·x̂ over pixels.
func (p *norm) gradSums(op string, dy, x backend.Tensor) {
	if p.spec.Images(op, dy, x) != p.n {
		backend.Mismatch(op+" after a Forward of another batch", dy, x)
	}
	p.run(passGradSums, nil, floats(op, dy), floats(op, x))
	for i, r := range p.rstd {
		p.sum2[i] *= r
	}
}

// affine is γ or β of the channel of element i of a statistic, 0 for those that pad the
// last plane.
func (p *norm) affine(v []float32, i int) float64 {
	if c := i % p.channels; c < len(v) {
		return float64(v[c])
	}
	return 0
}
