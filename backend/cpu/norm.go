package cpu

import (
	"math"
	"slices"

	"jem/backend"
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
	channels int // channels rounded up to whole planes
	n        int // images of the last Forward
	fixed    bool

	// For each image and channel (n·channels): what the last Forward used,
	mu, rstd []float64
	// and sums over pixels.
	s1, s2 []float64

	op      func(p *norm, i int) // of the running region
	y, x, z []float32
}

// NewNorm implements backend.Planner.
func (d *Device) NewNorm(spec backend.NormSpec, gamma, beta, mean, variance backend.Tensor) backend.Norm {
	if !isVector(gamma, spec.C) || !isVector(beta, spec.C) {
		backend.Mismatch("NewNorm", gamma, beta)
	}
	p := &norm{d: d, spec: spec, g: newGeometry(spec.C, spec.H, spec.W)}
	p.gamma, p.beta = floats("NewNorm", gamma), floats("NewNorm", beta)
	p.channels = p.g.blocks * p.g.pixel
	if spec.Kind == backend.BatchNorm {
		if mean == nil || variance == nil || !isVector(mean, spec.C) || !isVector(variance, spec.C) {
			backend.Mismatch("NewNorm", gamma, beta, mean, variance)
		}
		p.mean, p.variance = floats("NewNorm", mean), floats("NewNorm", variance)
	}
	return p
}

// check panics unless all tensors are images of the plan's size, and returns their number.
func (p *norm) check(op string, ts ...backend.Tensor) int {
	backend.SameShape(op, ts...)
	s := ts[0].Shape()
	if ts[0].Kind() != backend.Image || s[1] != p.spec.C || s[2] != p.spec.H || s[3] != p.spec.W {
		backend.Mismatch(op, ts...)
	}
	return s[0]
}

func (p *norm) resize(n int) {
	p.n = n
	for _, s := range []*[]float64{&p.mu, &p.rstd, &p.s1, &p.s2} {
		*s = slices.Grow((*s)[:0], n*p.channels)[:n*p.channels]
		clear(*s)
	}
}

// Forward implements backend.Norm.
func (p *norm) Forward(y, x backend.Tensor, train bool) {
	p.resize(p.check("Norm.Forward", y, x))
	p.y, p.x = floats("Norm.Forward", y), floats("Norm.Forward", x)
	p.fixed = p.spec.Kind == backend.BatchNorm && !train
	if p.fixed {
		p.useRunning()
	} else {
		p.run((*norm).sum)
		p.average(p.mu, p.s1)
		p.run((*norm).centredSquares)
		p.average(p.rstd, p.s1) // the variance, for now
		if p.spec.Kind == backend.BatchNorm {
			p.updateRunning()
		}
		p.invert()
	}
	p.run((*norm).normalise)
}

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
	p.sums("Norm.InputGrad", dy, x)
	p.y = floats("Norm.InputGrad", dx)
	p.check("Norm.InputGrad", dx, x)
	for i := range p.s1 {
		w := p.affine(p.gamma, i%p.channels)
		p.s1[i] *= w
		p.s2[i] *= w
	}
	if p.fixed {
		clear(p.s1)
		clear(p.s2)
	} else {
		p.average(p.s1, p.s1)
		p.average(p.s2, p.s2)
	}
	p.run((*norm).inputGrad)
}

// ParamGrad implements backend.Norm.
func (p *norm) ParamGrad(dgamma, dbeta, x, dy backend.Tensor) {
	if !isVector(dgamma, p.spec.C) || !isVector(dbeta, p.spec.C) {
		backend.Mismatch("Norm.ParamGrad", dgamma, dbeta)
	}
	p.sums("Norm.ParamGrad", dy, x)
	dg, db := floats("Norm.ParamGrad", dgamma), floats("Norm.ParamGrad", dbeta)
	for c := range p.spec.C {
		var g, b float64
		for n := range p.n {
			g += p.s2[n*p.channels+c]
			b += p.s1[n*p.channels+c]
		}
		dg[c] += float32(g)
		db[c] += float32(b)
	}
}

// sums sets s1 to Σ dy and s2 to Σ dy·x̂ over pixels.
func (p *norm) sums(op string, dy, x backend.Tensor) {
	if p.check(op, dy, x) != p.n {
		backend.Mismatch(op+" after a Forward of another batch", dy, x)
	}
	p.z, p.x = floats(op, dy), floats(op, x)
	p.run((*norm).gradSums)
}

// affine is γ or β of channel c, 0 for those that pad the last plane.
func (p *norm) affine(v []float32, c int) float64 {
	if c < len(v) {
		return float64(v[c])
	}
	return 0
}
