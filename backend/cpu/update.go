package cpu

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
)

// SGLDStep implements backend.Update.
func (d *Device) SGLDStep(x, grad backend.Tensor, key philox.Key, p backend.SGLD) {
	backend.SameShape("SGLDStep", x, grad)
	d.reserveStream(x)
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.SGLDStep(t[0], t[1], key, p) }, inout(x), in(grad)).drawn = x.(*tensor)
		return
	}
	s := d.onStream("SGLDStep", x, grad, key)
	s.sgld = limits(p)
	if p.Noise == 0 {
		d.runStream(s, func(s *streamed, x, g, _ []float32, _ uint64) { s.k.Drift(x, g, &s.sgld) })
		return
	}
	d.runStream(s, func(s *streamed, x, g, _ []float32, block uint64) {
		s.k.SGLD(x, g, &s.stream, block, &s.sgld)
	})
}

// limits replaces the zeros that mean "no limit" by infinities.
func limits(p backend.SGLD) asm.SGLD {
	inf := float32(math.Inf(1))
	c := asm.SGLD{Alpha: p.StepSize, Sigma: p.Noise, Clip: p.GradClip, Lo: p.Lo, Hi: p.Hi}
	if c.Clip == 0 {
		c.Clip = inf
	}
	if c.Lo == 0 && c.Hi == 0 {
		c.Lo, c.Hi = -inf, inf
	}
	return c
}

// AdamStep implements backend.Update.
func (d *Device) AdamStep(p, g, m, v backend.Tensor, h backend.Adam) {
	d.now()
	if h.Step < 1 {
		panic(fmt.Sprintf("backend: AdamStep: step %d, the first is 1", h.Step))
	}
	e := d.onElements("AdamStep", p, g, m, v)
	// In float64: 1 − β₂^t is a difference of nearly equal numbers.
	b1, b2, t := float64(h.Beta1), float64(h.Beta2), float64(h.Step)
	e.adam = asm.Adam{
		Scale: h.GradScale, Decay: h.WeightDecay,
		Beta1: h.Beta1, Rest1: float32(1 - b1),
		Beta2: h.Beta2, Rest2: float32(1 - b2),
		Rate: float32(float64(h.LR) / (1 - math.Pow(b1, t))),
		Root: float32(1 / math.Sqrt(1-math.Pow(b2, t))),
		Eps:  h.Eps,
	}
	d.runElements(e, func(e *elements, lo, hi int) {
		e.k.Adam(e.v[0][lo:hi], e.v[1][lo:hi], e.v[2][lo:hi], e.v[3][lo:hi], &e.adam)
	})
}

// SGDStep implements backend.Update.
func (d *Device) SGDStep(p, g, m backend.Tensor, h backend.SGD) {
	d.now()
	backend.SameShape("SGDStep", p, g, m)
	if h.First {
		d.Fill(m, 0) // with a zero buffer, m ← μ·m + g is m ← g
	}
	e := d.onElements("SGDStep", p, g, m)
	e.sgd = asm.SGD{Scale: h.GradScale, Decay: h.WeightDecay, Momentum: h.Momentum, Rate: h.LR}
	d.runElements(e, func(e *elements, lo, hi int) {
		e.k.SGD(e.v[0][lo:hi], e.v[1][lo:hi], e.v[2][lo:hi], &e.sgd)
	})
}
