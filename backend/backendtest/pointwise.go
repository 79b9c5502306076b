package backendtest

import (
	"math"

	"jem/backend"
)

func pointwiseChecks() []Check {
	return []Check{
		{"pointwise", "leaky_relu", leakyReLU},
		{"pointwise", "leaky_relu_grad", leakyReLUGrad},
		{"pointwise", "axpy", axpy},
		{"pointwise", "axpy_squared", axpySquared},
		{"pointwise", "lerp", lerp},
		{"pointwise", "clamp", clamp},
		{"pointwise", "nan_is_not_hidden", nanShows},
	}
}

// withZero sets the first element to 0, where LeakyReLU's two branches meet.
func withZero(v []float32) []float32 {
	v[0] = 0
	return v
}

// leakyReLU: one product, so one rounding.
func leakyReLU(p *Probe) {
	for _, l := range layouts() {
		for _, slope := range []float32{0.2, 1} {
			x := p.fixed(withZero(p.random(size(l.shape))), l.kind, l.shape...)
			want := exactly(x.v).leaky(slope)
			y := p.out(l.kind, l.shape...)
			p.dev.LeakyReLU(y, x.Tensor, slope)
			p.near(l.String(), y, want, 1)
			z := p.put(x.v, l.kind, l.shape...)
			p.dev.LeakyReLU(z.Tensor, z.Tensor, slope)
			p.near(l.String()+" in place", z.Tensor, want, 1)
		}
	}
}

func leakyReLUGrad(p *Probe) {
	for _, l := range layouts() {
		y := p.fixed(withZero(p.random(size(l.shape))), l.kind, l.shape...)
		dy := p.in(l.kind, l.shape...)
		want := exactly(dy.v).gated(y.v, 0.2)
		dx := p.out(l.kind, l.shape...)
		p.dev.LeakyReLUGrad(dx, dy.Tensor, y.Tensor, 0.2)
		p.near(l.String(), dx, want, 1)
		d := p.put(dy.v, l.kind, l.shape...)
		p.dev.LeakyReLUGrad(d.Tensor, d.Tensor, y.Tensor, 0.2)
		p.near(l.String()+" in place", d.Tensor, want, 1)
	}
}

// axpy: a product and a sum, rounded once or twice.
func axpy(p *Probe) {
	for _, l := range layouts() {
		x, y := p.in(l.kind, l.shape...), p.put(p.random(size(l.shape)), l.kind, l.shape...)
		want := exactly(y.v)
		for i, v := range x.v {
			want.add(i, float64(float32(-1.3))*float64(v))
		}
		p.dev.Axpy(y.Tensor, -1.3, x.Tensor)
		p.near(l.String(), y.Tensor, want, 2)
	}
}

// axpySquared: three products and a sum.
func axpySquared(p *Probe) {
	for _, l := range layouts() {
		x, y := p.in(l.kind, l.shape...), p.put(p.random(size(l.shape)), l.kind, l.shape...)
		want := exactly(y.v)
		for i, v := range x.v {
			want.add(i, float64(float32(1.7))*float64(y.v[i])*float64(y.v[i])*float64(v))
		}
		p.dev.AxpySquared(y.Tensor, 1.7, x.Tensor)
		p.near(l.String(), y.Tensor, want, 4)
	}
}

// lerp: a difference, a product and a sum.
func lerp(p *Probe) {
	for _, l := range layouts() {
		x, y := p.in(l.kind, l.shape...), p.put(p.random(size(l.shape)), l.kind, l.shape...)
		t := float32(0.01)
		want := exactly(y.v)
		for i, v := range x.v {
			want.add(i, float64(t)*float64(v))
			want.add(i, -float64(t)*float64(y.v[i]))
		}
		p.dev.Lerp(y.Tensor, x.Tensor, t)
		p.near(l.String(), y.Tensor, want, 3)
		p.dev.Lerp(x.Tensor, x.Tensor, t) // y = x: nothing moves
	}
}

func clamp(p *Probe) {
	for _, l := range layouts() {
		x := p.put(p.random(size(l.shape)), l.kind, l.shape...)
		want := make([]float32, len(x.v))
		for i, v := range x.v {
			want[i] = min(max(v, -0.25), 0.5)
		}
		p.dev.Clamp(x.Tensor, -0.25, 0.5)
		p.same(l.String(), x.Tensor, want)
	}
}

// nanShows: divergence is found by a NaN in the loss, so no operation on the way there
// may turn one into a number.
func nanShows(p *Probe) {
	nan := float32(math.NaN())
	for _, n := range []int{10, 1000} {
		logits := p.random(3 * n)
		logits[n+n/2] = nan
		lse := p.out(backend.Dense, 3)
		p.dev.LogSumExp(lse, p.put(logits, backend.Dense, 3, n).Tensor)
		if got := p.get(lse); got[1] == got[1] {
			p.faultf("LogSumExp of %d logits with a NaN: got %v", n, got[1])
		}
	}
	v := p.random(2 * 17 * 3 * 3)
	v[0] = nan
	t := p.put(v, backend.Image, 2, 17, 3, 3)
	p.dev.LeakyReLU(t.Tensor, t.Tensor, 0.2)
	sum, pool := p.out(backend.Dense, 1), p.out(backend.Dense, 2, 17)
	p.dev.SumSquares(sum, t.Tensor)
	p.dev.AvgPool(pool, t.Tensor)
	if s, a := p.get(sum)[0], p.get(pool)[0]; s == s || a == a {
		p.faultf("a NaN pixel: LeakyReLU and SumSquares give %v, AvgPool %v", s, a)
	}
}
