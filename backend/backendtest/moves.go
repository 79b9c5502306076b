package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
)

// once is the bound, in units of u, of what is computed in float64 and rounded to float32 once.
const once = 1.001

// The numbers that overflow or vanish where their squares are taken in float32.
const (
	huge = 3e38
	tiny = math.SmallestNonzeroFloat32
)

func moveChecks() []Check {
	return []Check{
		{"moves", "sign_step", signStep},
		{"moves", "unit_step", unitStep},
		{"moves", "unit_step_extremes", unitStepExtremes},
		{"moves", "project_linf", projectLInf},
		{"moves", "project_l2", projectL2},
		{"moves", "project_extremes", projectExtremes},
		{"moves", "nan_is_not_hidden", nanMoves},
		{"moves", "images_alone", movesAlone},
	}
}

// signStep: a sum, rounded once, so every bit is known.
func signStep(p *Probe) {
	special := []float32{0, float32(math.Copysign(0, -1)), tiny, -tiny, huge, -huge, float32(math.Inf(1)), float32(math.Inf(-1))}
	for _, l := range layouts() {
		for _, a := range []float32{0.1, -0.03, 0} {
			g := p.random(size(l.shape))
			for i := range min(len(special), len(g)/2) {
				g[len(g)/3+i] = special[i]
			}
			x, grad := p.put(p.random(len(g)), l.kind, l.shape...), p.fixed(g, l.kind, l.shape...)
			want := append([]float32{}, x.v...)
			for i, v := range g {
				switch {
				case v > 0:
					want[i] += a
				case v < 0:
					want[i] -= a
				}
			}
			p.dev.SignStep(x.Tensor, grad.Tensor, a)
			p.same(fmt.Sprint(l, " a = ", a), x.Tensor, want)
		}
	}
}

// unitEstimate is x + a·g/‖g‖₂, row by row.
func unitEstimate(x, g []float32, rows int, a float32) estimate {
	e, row := exactly(x), len(x)/rows
	for i, v := range g {
		n := i / row * row
		if norm := distance(g[n:n+row], nil); norm > 0 {
			e.add(i, float64(a)*float64(v)/norm)
		}
	}
	return e
}

// distance is ‖x−c‖₂; c may be nil for the origin.
func distance(x, c []float32) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v)
		if c != nil {
			d -= float64(c[i])
		}
		sum += d * d
	}
	return math.Sqrt(sum)
}

// longRows are layouts, a long row in the place of many rows of one element, each of which costs a
// simulated card a block.
func longRows() []layout {
	all := layouts()
	for i, l := range all {
		if l.shape[0] > 1000 {
			all[i].shape = []int{2, l.shape[0]}
		}
	}
	return all
}

func unitStep(p *Probe) {
	for _, l := range longRows() {
		for _, a := range []float32{0.5, -3} {
			x, g := p.put(p.random(size(l.shape)), l.kind, l.shape...), p.in(l.kind, l.shape...)
			p.dev.UnitStep(x.Tensor, g.Tensor, a)
			p.near(fmt.Sprint(l, " a = ", a), x.Tensor, unitEstimate(x.v, g.v, l.shape[0], a), once)
		}
	}
}

// unitStepExtremes: gradients of any size have a direction, and those that are 0 none.
func unitStepExtremes(p *Probe) {
	for _, shape := range [][]int{{6, 3, 5, 7}, {6, 17, 3, 2}} {
		row := size(shape) / 6
		g := p.random(size(shape))
		for i := range row {
			g[i] = 0
			g[row+i] = float32(math.Copysign(tiny, float64(g[row+i])))
			g[2*row+i] = float32(math.Copysign(huge, float64(g[2*row+i])))
			g[3*row+i] *= 1e-30
		}
		for i := range row { // one large number among small ones
			g[4*row+i] *= 1e-20
		}
		g[5*row-1] = -huge
		x, grad := p.put(p.random(len(g)), backend.Image, shape...), p.fixed(g, backend.Image, shape...)
		p.dev.UnitStep(x.Tensor, grad.Tensor, 2)
		p.near(fmt.Sprint(shape), x.Tensor, unitEstimate(x.v, g, 6, 2), once)
		p.sameValues(fmt.Sprint(shape, " without a gradient"), []int{row}, p.get(x.Tensor)[:row], x.v)
	}
}

// balls are sets to project into; centres are in [−1.2,1.2), so some lie beyond the ranges.
func balls(norm backend.BallNorm, radii ...float32) (all []backend.Ball) {
	for _, r := range radii {
		all = append(all, backend.Ball{Norm: norm, Radius: r}, backend.Ball{Norm: norm, Radius: r, Lo: -1, Hi: 1}, backend.Ball{Norm: norm, Radius: r, Lo: 0, Hi: 0.5})
	}
	return all
}

// projectLInf: two sums, each rounded once, and choices, so every bit is known.
func projectLInf(p *Probe) {
	for _, l := range layouts() {
		for _, b := range balls(backend.LInf, 0.3, 0, float32(math.Inf(1))) {
			x, c := p.put(times(2, p.random(size(l.shape))), l.kind, l.shape...), p.fixed(times(1.2, p.random(size(l.shape))), l.kind, l.shape...)
			want := append([]float32{}, x.v...)
			for i, v := range c.v {
				want[i] = inRange(min(max(x.v[i], v-b.Radius), v+b.Radius), v, b)
			}
			p.dev.Project(x.Tensor, c.Tensor, b)
			p.same(fmt.Sprintf("%v %+v", l, b), x.Tensor, want)
			p.dev.Project(x.Tensor, c.Tensor, b)
			p.same(fmt.Sprintf("%v %+v again", l, b), x.Tensor, want)
		}
	}
}

// inRange moves a pixel into the ball's range, which its centre widens.
func inRange[F float32 | float64](v F, centre float32, b backend.Ball) F {
	if !b.Ranged() {
		return v
	}
	return min(max(v, min(F(b.Lo), F(centre))), max(F(b.Hi), F(centre)))
}

// l2Estimate is the projection: its error measure is that of c + s·(x−c) in float64.
func l2Estimate(x, c []float32, rows int, b backend.Ball) estimate {
	e, row := newEstimate(len(x)), len(x)/rows
	for i, v := range x {
		n, at := i/row*row, float64(c[i])
		e.v[i] = float64(v)
		if d := distance(x[n:n+row], c[n:n+row]); d > float64(b.Radius) {
			e.v[i] = at + (float64(v)-at)*float64(b.Radius)/d
			e.s[i] = math.Abs(e.v[i]) + 1e-7*(math.Abs(at)+math.Abs(float64(v)))
		}
		if in := inRange(e.v[i], c[i], b); in != e.v[i] {
			e.v[i] = in // a bound of float32, or within an error of one
		}
	}
	return e
}

// projectL2: images beyond the radius come to it, others keep every bit, and with a radius of 0 all
// lie on their centres to the bit.
func projectL2(p *Probe) {
	for _, l := range longRows() {
		n := l.shape[0]
		far := float32(math.Sqrt(float64(size(l.shape) / n))) // about as far as they are
		for _, b := range balls(backend.L2, 0.7*far, 0, 1.2*far, float32(math.Inf(1))) {
			x, c := p.put(times(2, p.random(size(l.shape))), l.kind, l.shape...), p.fixed(times(1.2, p.random(size(l.shape))), l.kind, l.shape...)
			p.dev.Project(x.Tensor, c.Tensor, b)
			p.near(fmt.Sprintf("%v %+v", l, b), x.Tensor, l2Estimate(x.v, c.v, n, b), once)
			if b.Radius == 0 {
				p.same(fmt.Sprintf("%v %+v", l, b), x.Tensor, c.v)
			}
		}
	}
}

// projectExtremes: differences that float32 doesn't hold.
func projectExtremes(p *Probe) {
	x := []float32{huge, -huge, huge, 1, tiny, 0, 2 * tiny, 0, 0, 0, 0, 0}
	c := []float32{-huge, huge, 0, 1, 0, tiny, tiny, 0, 5, -5, 0.25, 0}
	for _, b := range []backend.Ball{{Norm: backend.L2, Radius: 1}, {Norm: backend.L2, Radius: huge}, {Norm: backend.L2, Radius: tiny, Lo: -1, Hi: 1}} {
		at := p.put(x, backend.Dense, 3, 4)
		p.dev.Project(at.Tensor, p.fixed(c, backend.Dense, 3, 4).Tensor, b)
		want := l2Estimate(x, c, 3, b)
		for i := range want.s {
			want.s[i] += tiny / u // numbers below the normal ones are as far apart
		}
		p.near(fmt.Sprintf("%+v", b), at.Tensor, want, once)
	}
}

// nanMoves: divergence is found by a NaN, so no move may hide one, or let it into another image.
func nanMoves(p *Probe) {
	nan := float32(math.NaN())
	shape := []int{3, 17, 3, 2}
	n, row := size(shape), size(shape)/3
	bad := row + 5 // an element of the second image
	inBall := func(b backend.Ball) func(x, y backend.Tensor) {
		return func(x, y backend.Tensor) { p.dev.Project(x, y, b) }
	}
	for _, m := range []struct {
		name  string
		whole bool // the image becomes NaN, not the element alone
		move  func(x, y backend.Tensor)
	}{
		{"SignStep", false, func(x, y backend.Tensor) { p.dev.SignStep(x, y, 0.1) }},
		{"UnitStep", true, func(x, y backend.Tensor) { p.dev.UnitStep(x, y, 0.1) }},
		{"Project LInf", false, inBall(backend.Ball{Radius: 0.1, Lo: -1, Hi: 1})},
		{"Project L2", true, inBall(backend.Ball{Norm: backend.L2, Radius: 0.1, Lo: -1, Hi: 1})},
	} {
		for _, inX := range []bool{false, true} {
			x, y := p.random(n), p.random(n)
			whole := m.whole && !(inX && m.name == "UnitStep")
			if inX {
				x[bad] = nan
			} else {
				y[bad] = nan
			}
			t := p.put(x, backend.Image, shape...)
			m.move(t.Tensor, p.fixed(y, backend.Image, shape...).Tensor)
			for i, v := range p.get(t.Tensor) {
				want := i == bad || whole && i/row == bad/row
				if (v != v) != want {
					p.faultf("%s, NaN in x: %v: element %d is %v", m.name, inX, i, v)
					break
				}
			}
		}
	}
}

// movesAlone: an image's bits don't depend on those beside it.
func movesAlone(p *Probe) {
	for _, shape := range [][]int{{5, 3, 8, 8}, {5, 17, 3, 3}} {
		moves := []func(x, y backend.Tensor){
			func(x, y backend.Tensor) { p.dev.SignStep(x, y, 0.1) },
			func(x, y backend.Tensor) { p.dev.UnitStep(x, y, 0.7) },
			func(x, y backend.Tensor) { p.dev.Project(x, y, backend.Ball{Radius: 0.2, Lo: -1, Hi: 1}) },
			func(x, y backend.Tensor) {
				p.dev.Project(x, y, backend.Ball{Norm: backend.L2, Radius: 0.9, Lo: -1, Hi: 1})
			},
		}
		for i, move := range moves {
			v, y := p.random(size(shape)), p.in(backend.Image, shape...)
			together, alone := p.put(v, backend.Image, shape...), p.put(v, backend.Image, shape...)
			move(together.Tensor, y.Tensor)
			for _, r := range [][2]int{{0, 1}, {1, 4}, {4, 5}} {
				move(p.dev.Rows(alone.Tensor, r[0], r[1]), p.dev.Rows(y.Tensor, r[0], r[1]))
			}
			p.same(fmt.Sprint(shape, " move ", i), alone.Tensor, p.get(together.Tensor))
		}
	}
}
