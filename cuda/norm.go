//go:build cuda && linux && amd64

package cuda

import (
	"jem/backend"
	"jem/cuda/internal/driver"
)

// norm is the device's backend.Norm, in passes over float32 images. Statistics are vectors
// over the sets of elements that share them.
type norm struct {
	d              *Device
	spec           backend.NormSpec
	gamma, beta    *tensor
	mean, variance *tensor // running statistics, or nil

	n        int     // images of the last Forward
	fixed    bool    // which used the running statistics
	mu, rstd *buffer // what it used, by set
}

// NewNorm implements backend.Planner.
func (d *Device) NewNorm(spec backend.NormSpec, gamma, beta, mean, variance backend.Tensor) backend.Norm {
	spec.CheckParams("NewNorm", gamma, beta, mean, variance)
	p := &norm{d: d, spec: spec, gamma: gamma.(*tensor), beta: beta.(*tensor)}
	if spec.Kind == backend.BatchNorm {
		p.mean, p.variance = mean.(*tensor), variance.(*tensor)
	}
	return p
}

// sets is the number of sets of n images that share statistics.
func (p *norm) sets(n int) int {
	switch p.spec.Kind {
	case backend.BatchNorm:
		return p.spec.C
	case backend.InstanceNorm:
		return n * p.spec.C
	}
	return n
}

// keep makes room for the statistics of n images.
func (p *norm) keep(op string, n int) {
	p.n = n
	bytes := int64(p.sets(n)) * word
	for _, b := range []**buffer{&p.mu, &p.rstd} {
		if *b == nil || (*b).bytes < bytes {
			if *b != nil {
				p.d.release(op, *b)
				p.d.moves++
			}
			*b = p.d.allocate(op, bytes, nil)
		}
	}
}

// sizes adds n, c, hw and kind, the last arguments of most of the kernels.
func (p *norm) sizes(c *call) *call {
	return c.num(p.n, p.spec.C, p.spec.H*p.spec.W, int(p.spec.Kind))
}

func (p *norm) elements() int { return p.n * p.spec.C * p.spec.H * p.spec.W }

// Forward implements backend.Norm.
func (p *norm) Forward(y, x backend.Tensor, mode backend.NormMode) {
	const op = "Norm.Forward"
	d := p.d
	p.keep(op, p.spec.Images(op, y, x))
	p.fixed = p.spec.Kind == backend.BatchNorm && mode == backend.RunningStats
	from := d.in(op, x)
	if p.fixed {
		d.kernel(op, "norm_running", single).ptr(p.mu.p, p.rstd.p, p.mean.at(), p.variance.at()).num(p.spec.C).float(p.spec.Eps).over(p.spec.C)
	} else {
		p.measure(op, from, mode == backend.MovingStats)
	}
	p.sizes(d.kernel(op, "norm_apply", single).ptr(d.out(op, y), from, p.mu.p, p.rstd.p, p.gamma.at(), p.beta.at())).over(p.elements())
}

// measure takes the statistics from the images, in two passes, and moves BatchNorm's running ones
// if they are to move.
func (p *norm) measure(op string, x driver.Pointer, moving bool) {
	d, n, c := p.d, p.n, p.spec.C
	sums := d.reserve(op, partial, int64(n*c)*word)
	var mean, variance driver.Pointer
	if moving && p.spec.Kind == backend.BatchNorm {
		mean, variance = p.mean.at(), p.variance.at()
	}
	p.sizes(d.kernel(op, "norm_sums", single).ptr(sums, x, 0)).over(n, c)
	p.sizes(d.kernel(op, "norm_mean", single).ptr(p.mu.p, sums)).over(p.sets(n))
	p.sizes(d.kernel(op, "norm_sums", single).ptr(sums, x, p.mu.p)).over(n, c)
	p.sizes(d.kernel(op, "norm_rstd", single).ptr(p.rstd.p, sums, p.mu.p, mean, variance)).float(p.spec.Eps, p.spec.Momentum).over(p.sets(n))
}

// InputGrad implements backend.Norm.
func (p *norm) InputGrad(dx, dy, x backend.Tensor) {
	const op = "Norm.InputGrad"
	d := p.d
	p.spec.Images(op, dx, dy, x)
	sum1, sum2 := p.gradSums(op, dy, x)
	var mean1, mean2 driver.Pointer
	if sets := p.sets(p.n); !p.fixed {
		mean1 = d.reserve(op, statistics, 2*int64(sets)*word)
		mean2 = mean1 + driver.Pointer(sets*word)
		p.sizes(d.kernel(op, "norm_grad_means", single).ptr(mean1, mean2, sum1, sum2, p.gamma.at())).over(sets)
	}
	from, at := d.in(op, dy), d.in(op, x)
	p.sizes(d.kernel(op, "norm_input_grad", single).ptr(d.out(op, dx), from, at, p.mu.p, p.rstd.p, p.gamma.at(), mean1, mean2)).over(p.elements())
}

// ParamGrad implements backend.Norm.
func (p *norm) ParamGrad(dgamma, dbeta, x, dy backend.Tensor) {
	const op = "Norm.ParamGrad"
	if !isVector(dgamma, p.spec.C) || !isVector(dbeta, p.spec.C) {
		backend.Mismatch(op, dgamma, dbeta)
	}
	sum1, sum2 := p.gradSums(op, dy, x)
	p.d.kernel(op, "norm_param_grad", single).ptr(p.d.in(op, dgamma), p.d.in(op, dbeta), sum1, sum2).num(p.n, p.spec.C).over(p.spec.C)
}

// gradSums returns the sums over pixels of dy and of dy·x̂, by image and channel.
func (p *norm) gradSums(op string, dy, x backend.Tensor) (sum1, sum2 driver.Pointer) {
	if p.spec.Images(op, dy, x) != p.n {
		backend.Mismatch(op+" after a Forward of another batch", dy, x)
	}
	d, n, c := p.d, p.n, p.spec.C
	from, at := d.in(op, dy), d.in(op, x)
	sum1 = d.reserve(op, partial, 2*int64(n*c)*word)
	sum2 = sum1 + driver.Pointer(n*c*word)
	p.sizes(d.kernel(op, "norm_grad_sums", single).ptr(sum1, sum2, from, at, p.mu.p, p.rstd.p)).over(n, c)
	return sum1, sum2
}
