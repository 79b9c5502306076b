package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/philox"
)

func updateChecks() []Check {
	return []Check{
		{"update", "sgld_identity", sgldIdentity},
		{"update", "sgld_step", sgldStep},
		{"update", "gather_rows", gatherRows},
		{"update", "scatter_rows", scatterRows},
		{"update", "adam", adam},
		{"update", "sgd", sgd},
	}
}

// sgldIdentity: α = 0, σ = 0 and no clamp leave every bit.
func sgldIdentity(p *Probe) {
	for _, l := range layouts() {
		x, g := p.in(l.kind, l.shape...), p.in(l.kind, l.shape...)
		p.dev.SGLDStep(x.Tensor, g.Tensor, p.key(), backend.SGLD{})
		p.same(l.String(), x.Tensor, x.v)
	}
}

// sgldEstimate is clamp(x + α·clip(g) + σ·ε). Clamping doesn't enlarge an error; a value
// that is clamped in one arithmetic and not in the other is within the error of the edge.
func sgldEstimate(x, g []float32, key philox.Key, s backend.SGLD) estimate {
	e := exactly(x)
	z := normals(key, len(x), 0, s.Noise)
	clip := float64(s.GradClip)
	for i := range x {
		d := float64(g[i])
		if clip > 0 {
			d = min(max(d, -clip), clip)
		}
		e.add(i, float64(s.StepSize)*d)
		e.add(i, z.v[i])
		e.s[i] = 4*e.s[i] + z.s[i]
		if s.Lo != s.Hi {
			e.v[i] = min(max(e.v[i], float64(s.Lo)), float64(s.Hi))
		}
	}
	return e
}

func sgldStep(p *Probe) {
	for _, s := range []backend.SGLD{
		{StepSize: 1, Noise: 0.01}, {StepSize: 0.7}, {Noise: 0.5}, {StepSize: 1, Noise: 0.01, GradClip: 0.25},
		{StepSize: 2, Noise: 0.3, Lo: -1, Hi: 1}, {StepSize: 3, Noise: 0.1, GradClip: 0.5, Lo: 0, Hi: 0.75},
	} {
		for _, l := range layouts() {
			x, g, key := p.put(p.random(size(l.shape)), l.kind, l.shape...), p.in(l.kind, l.shape...), p.key()
			p.dev.SGLDStep(x.Tensor, g.Tensor, key, s)
			p.near(fmt.Sprintf("%v %+v", l, s), x.Tensor, sgldEstimate(x.v, g.v, key, s), 1)
		}
	}
}

// rowLayouts are batches of 4 samples for the replay buffer.
func rowLayouts() []layout {
	return []layout{{backend.Dense, []int{4, 7}}, {backend.Image, []int{4, 3, 5, 3}}, {backend.Image, []int{4, 17, 3, 2}}, {backend.Image, []int{4, 1, 1, 1}}}
}

func gatherRows(p *Probe) {
	for _, l := range rowLayouts() {
		row := size(l.shape) / 4
		buffer := p.in(backend.Dense, 6, row)
		rows := []int32{5, 0, 5, 3}
		var want []float32
		for _, r := range rows {
			want = append(want, buffer.v[int(r)*row:(int(r)+1)*row]...)
		}
		dst := p.out(l.kind, l.shape...)
		p.dev.GatherRows(dst, buffer.Tensor, p.index(rows...))
		p.same(l.String(), dst, want)
	}
}

func scatterRows(p *Probe) {
	for _, l := range rowLayouts() {
		row := size(l.shape) / 4
		for _, rows := range [][]int32{{5, 0, 2, 3}, {1, 4, 1, 1}, {2, 2, 2, 2}} {
			buffer, src := p.put(p.random(6*row), backend.Dense, 6, row), p.in(l.kind, l.shape...)
			want := append([]float32{}, buffer.v...)
			for i, r := range rows {
				copy(want[int(r)*row:(int(r)+1)*row], src.v[i*row:(i+1)*row])
			}
			p.dev.ScatterRows(buffer.Tensor, src.Tensor, p.index(rows...))
			p.same(fmt.Sprint(l, " to ", rows), buffer.Tensor, want)
		}
	}
}

// away moves numbers from [−1,1) to 0.5 ≤ |x| < 1.5: Adam divides by the gradient's size.
func away(v []float32) []float32 {
	for i, x := range v {
		v[i] = x + float32(math.Copysign(0.5, float64(x)))
	}
	return v
}

// adam runs ten steps beside torch.optim.Adam's formula in float64. A step moves p by at
// most about lr (1+…) with a relative error of a few u; p itself is rounded once a step.
// The bias corrections 1−βᵗ cancel, so a device must take the powers in float64: from
// float32 they are off by u/(1−β₂) = 6e-5 on the first step, 250 times the bound on lr.
func adam(p *Probe) {
	for _, h := range []backend.Adam{
		{LR: 0.01, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1},
		{LR: 0.1, Beta1: 0.5, Beta2: 0.9, Eps: 1e-3, GradScale: 0.37, WeightDecay: 0.01},
	} {
		for _, n := range []int{1, 17, 8193} {
			par, m, v := p.put(p.random(n), backend.Dense, n), p.put(make([]float32, n), backend.Dense, n), p.put(make([]float32, n), backend.Dense, n)
			x, m1, v1 := wide(par.v), make([]float64, n), make([]float64, n)
			for h.Step = 1; h.Step <= 10; h.Step++ {
				g := p.fixed(away(p.random(n)), backend.Dense, n)
				p.dev.AdamStep(par.Tensor, g.Tensor, m.Tensor, v.Tensor, h)
				adamDefinition(x, m1, v1, g.v, h)
			}
			p.near(fmt.Sprintf("p(%d) %+v", n, h), par.Tensor, measured(x, 10, 10*16*float64(h.LR)), 1)
			p.near(fmt.Sprintf("m(%d)", n), m.Tensor, measured(m1, 10, 20), 1)
			p.near(fmt.Sprintf("v(%d)", n), v.Tensor, measured(v1, 40, 0), 1)
		}
	}
}

// measured is an estimate whose error measure is a·|v| + b.
func measured(v []float64, a, b float64) estimate {
	e := estimate{v, make([]float64, len(v))}
	for i, x := range v {
		e.s[i] = a*math.Abs(x) + b
	}
	return e
}

func adamDefinition(p, m, v []float64, grad []float32, h backend.Adam) {
	b1, b2 := float64(h.Beta1), float64(h.Beta2)
	for i := range p {
		g := float64(h.GradScale)*float64(grad[i]) + float64(h.WeightDecay)*p[i]
		m[i] = b1*m[i] + (1-b1)*g
		v[i] = b2*v[i] + (1-b2)*g*g
		mHat := m[i] / (1 - math.Pow(b1, float64(h.Step)))
		vHat := v[i] / (1 - math.Pow(b2, float64(h.Step)))
		p[i] -= float64(h.LR) * mHat / (math.Sqrt(vHat) + float64(h.Eps))
	}
}

// sgd runs ten steps beside torch.optim.SGD's formula in float64. The momentum buffer
// starts as NaN, since the first step must not read it. Each step rounds p and m a few
// times; an error of m is carried on, 1/(1−μ) times in all.
func sgd(p *Probe) {
	for _, h := range []backend.SGD{
		{LR: 0.1, Momentum: 0.9, WeightDecay: 5e-4, GradScale: 1}, {LR: 0.3, GradScale: 0.5}, {LR: 0.05, Momentum: 0.5, GradScale: 1},
	} {
		for _, n := range []int{1, 17, 8193} {
			par, m := p.put(p.random(n), backend.Dense, n), p.out(backend.Dense, n)
			x, buf := wide(par.v), make([]float64, n)
			for step := range 10 {
				h.First = step == 0
				g := p.in(backend.Dense, n)
				p.dev.SGDStep(par.Tensor, g.Tensor, m, h)
				sgdDefinition(x, buf, g.v, h)
			}
			carried := 4 * 10 / (1 - float64(h.Momentum)) // |m| stays below 10
			p.near(fmt.Sprintf("p(%d) %+v", n, h), par.Tensor, measured(x, 10, 10+10*float64(h.LR)*carried), 1)
			p.near(fmt.Sprintf("m(%d)", n), m, measured(buf, 4, carried), 1)
		}
	}
}

func sgdDefinition(p, m []float64, grad []float32, h backend.SGD) {
	for i := range p {
		g := float64(h.GradScale)*float64(grad[i]) + float64(h.WeightDecay)*p[i]
		if m[i] = float64(h.Momentum)*m[i] + g; h.First {
			m[i] = g
		}
		p[i] -= float64(h.LR) * m[i]
	}
}
