package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
)

// normCase is a normalisation and the batch to run it at.
type normCase struct {
	backend.NormSpec
	n int
}

func (c normCase) shape() []int { return []int{c.n, c.C, c.H, c.W} }

func normChecks() []Check {
	var checks []Check
	names := []string{backend.BatchNorm: "batch", backend.InstanceNorm: "instance", backend.LayerNorm: "layer"}
	for kind, name := range names {
		for _, s := range [][4]int{{3, 3, 5, 7}, {1, 16, 3, 3}, {3, 17, 4, 3}, {2, 40, 3, 2}} {
			c := normCase{backend.NormSpec{Kind: backend.NormKind(kind), C: s[1], H: s[2], W: s[3], Eps: 1e-5, Momentum: 0.9}, s[0]}
			label := fmt.Sprintf("%s_n%d_c%d_%dx%d", name, s[0], s[1], s[2], s[3])
			checks = append(checks,
				Check{"norm", label + "_forward", func(p *Probe) { normForward(p, c) }},
				Check{"norm", label + "_grad", func(p *Probe) { normGrad(p, c, backend.MovingStats) }})
			if c.Kind == backend.BatchNorm {
				checks = append(checks,
					Check{"norm", label + "_grad_running", func(p *Probe) { normGrad(p, c, backend.RunningStats) }},
					Check{"norm", label + "_grad_batch", func(p *Probe) { normGrad(p, c, backend.BatchStats) }})
			}
		}
	}
	return append(checks,
		Check{"norm", "batch_running_statistics", runningStatistics},
		Check{"norm", "batch_evaluation", batchEvaluation},
		Check{"norm", "batch_modes", batchModes})
}

// normOperands are a plan with its parameters and an input whose mean is not zero.
type normOperands struct {
	plan               backend.Norm
	x, gamma, beta     *operand
	running, runningSq *operand // mean and variance of BatchNorm, else nil
}

func normOf(p *Probe, c normCase) normOperands {
	o := normOperands{gamma: p.in(backend.Dense, c.C), beta: p.in(backend.Dense, c.C)}
	x := p.random(size(c.shape()))
	for i := range x {
		x[i] += float32(i/(c.H*c.W)%c.C%3) - 1 // channels around −1, 0 and 1
	}
	o.x = p.fixed(x, backend.Image, c.shape()...)
	if c.Kind != backend.BatchNorm {
		o.plan = p.dev.NewNorm(c.NormSpec, o.gamma.Tensor, o.beta.Tensor, nil, nil)
		return o
	}
	variance := p.random(c.C)
	for i := range variance {
		variance[i] += 1.5
	}
	o.running, o.runningSq = p.put(p.random(c.C), backend.Dense, c.C), p.put(variance, backend.Dense, c.C)
	o.plan = p.dev.NewNorm(c.NormSpec, o.gamma.Tensor, o.beta.Tensor, o.running.Tensor, o.runningSq.Tensor)
	return o
}

// statistics are a set's mean and 1/√(variance+ε) at every element.
type statistics struct {
	mu, inv []float64
	count   float64
}

// forward is the definition. Its error measure is that of a computation in two passes: the
// mean errs by 6 times the mean magnitude m̄ (sums), so x−μ by |x|+6m̄; the variance by √n+8
// relatively, which the root halves.
func (o normOperands) forward(c normCase, mode backend.NormMode) (estimate, statistics) {
	var mean, variance []float64
	if c.Kind == backend.BatchNorm && mode == backend.RunningStats {
		mean, variance = wide(o.running.v), wide(o.runningSq.v)
	}
	y, mu, va, count := normalise(c.NormSpec, c.n, wide(o.x.v), wide(o.gamma.v), wide(o.beta.v), mean, variance)
	e, st := newEstimate(len(y)), statistics{mu, make([]float64, len(y)), count}
	size := meanMagnitude(c, o.x.v)
	for i := range y {
		ch := i / (c.H * c.W) % c.C
		st.inv[i] = 1 / math.Sqrt(va[i]+float64(c.Eps))
		g, x := math.Abs(float64(o.gamma.v[ch])), float64(o.x.v[i])
		e.v[i] = y[i]
		e.s[i] = g*st.inv[i]*(math.Abs(x)+sums*size[group(c.NormSpec, i)]) + g*math.Abs((x-mu[i])*st.inv[i])*(math.Sqrt(count)+8) + 2*math.Abs(float64(o.beta.v[ch]))
	}
	return e, st
}

// meanMagnitude is the mean of |v| over each set.
func meanMagnitude(c normCase, v []float32) map[int]float64 {
	sum, count := map[int]float64{}, map[int]float64{}
	for i, x := range v {
		g := group(c.NormSpec, i)
		sum[g] += math.Abs(float64(x))
		count[g]++
	}
	for g := range sum {
		sum[g] /= count[g]
	}
	return sum
}

func normForward(p *Probe, c normCase) {
	o := normOf(p, c)
	want, _ := o.forward(c, backend.MovingStats)
	y := p.out(backend.Image, c.shape()...)
	o.plan.Forward(y, o.x.Tensor, backend.MovingStats)
	p.near("y", y, want, 1)
	if c.Kind != backend.BatchNorm { // to which all modes are one
		for _, mode := range []backend.NormMode{backend.RunningStats, backend.BatchStats} {
			again := p.out(backend.Image, c.shape()...)
			o.plan.Forward(again, o.x.Tensor, mode)
			p.same(fmt.Sprint("y in mode ", mode), again, p.get(y))
		}
	}
}

// normGrad compares the gradients of ⟨y, dy⟩ with central differences of the definition.
func normGrad(p *Probe, c normCase, mode backend.NormMode) {
	o := normOf(p, c)
	dy := p.in(backend.Image, c.shape()...)
	_, st := o.forward(c, mode)
	o.plan.Forward(p.out(backend.Image, c.shape()...), o.x.Tensor, mode)

	want := o.inputDifferences(c, dy.v, mode, st)
	dx := p.out(backend.Image, c.shape()...)
	o.plan.InputGrad(dx, dy.Tensor, o.x.Tensor)
	p.near("dx", dx, want, 1)
	inPlace := p.put(dy.v, backend.Image, c.shape()...)
	o.plan.InputGrad(inPlace.Tensor, inPlace.Tensor, o.x.Tensor)
	p.near("dx in place", inPlace.Tensor, want, 1)

	dgamma, dbeta := p.put(p.random(c.C), backend.Dense, c.C), p.put(p.random(c.C), backend.Dense, c.C)
	wantG, wantB := o.paramGrad(c, dy.v, st, exactly(dgamma.v), exactly(dbeta.v))
	o.plan.ParamGrad(dgamma.Tensor, dbeta.Tensor, o.x.Tensor, dy.Tensor)
	p.near("dgamma", dgamma.Tensor, wantG, 1)
	p.near("dbeta", dbeta.Tensor, wantB, sums)
}

// inputDifferences differentiates the definition at x with h = 1e-4: its third derivative
// times h² is below 1e-6 relative to the gradient's terms. The float32 error measure of
// dx = γ/σ·(dy − mean dy − x̂·mean(dy·x̂)) takes each term with the statistics' errors.
func (o normOperands) inputDifferences(c normCase, dy []float32, mode backend.NormMode, st statistics) estimate {
	const h = 1e-4
	var mean, variance []float64
	if c.Kind == backend.BatchNorm && mode == backend.RunningStats {
		mean, variance = wide(o.running.v), wide(o.runningSq.v)
	}
	x, gamma, beta := wide(o.x.v), wide(o.gamma.v), wide(o.beta.v)
	value := func() float64 {
		y, _, _, _ := normalise(c.NormSpec, c.n, x, gamma, beta, mean, variance)
		sum := 0.0
		for i, v := range y {
			sum += v * float64(dy[i])
		}
		return sum
	}
	e, size := newEstimate(len(x)), meanMagnitude(c, dy)
	for i, at := range x {
		x[i] = at + h
		up := value()
		x[i] = at - h
		e.v[i] = (up - value()) / (2 * h)
		x[i] = at
		hat := math.Abs(at-st.mu[i]) * st.inv[i]
		e.s[i] = st.inv[i] * (math.Abs(float64(dy[i])) + (1+2*hat)*size[group(c.NormSpec, i)]) * (2*math.Sqrt(st.count) + 16 + 1e-6/u)
	}
	return e
}

// paramGrad adds Σ dy·x̂ and Σ dy to the estimates. The error of x̂ is as in forward.
func (o normOperands) paramGrad(c normCase, dy []float32, st statistics, dgamma, dbeta estimate) (estimate, estimate) {
	for i, d := range dy {
		ch := i / (c.H * c.W) % c.C
		hat := (float64(o.x.v[i]) - st.mu[i]) * st.inv[i]
		dgamma.v[ch] += float64(d) * hat
		dgamma.s[ch] += math.Abs(float64(d)) * (math.Abs(hat)*(math.Sqrt(st.count)+12) + 5*st.inv[i]*(1+math.Abs(st.mu[i])))
		dbeta.add(ch, float64(d))
	}
	return dgamma, dbeta
}

// runningStatistics: r ← (1−m)·r + m·batch, with the unbiased variance, twice in a row.
func runningStatistics(p *Probe) {
	c := normCase{backend.NormSpec{Kind: backend.BatchNorm, C: 17, H: 4, W: 3, Eps: 1e-5, Momentum: 0.3}, 3}
	o := normOf(p, c)
	_, mu, va, n := normalise(c.NormSpec, c.n, wide(o.x.v), wide(o.gamma.v), wide(o.beta.v), nil, nil)
	mean, variance := newEstimate(c.C), newEstimate(c.C)
	size := meanMagnitude(c, o.x.v)
	for ch := range c.C {
		m, i := float64(c.Momentum), ch*c.H*c.W
		mean.v[ch], variance.v[ch] = float64(o.running.v[ch]), float64(o.runningSq.v[ch])
		for range 2 {
			mean.v[ch] = (1-m)*mean.v[ch] + m*mu[i]
			variance.v[ch] = (1-m)*variance.v[ch] + m*va[i]*n/(n-1)
		}
		mean.s[ch] = 4 + sums*size[ch]
		variance.s[ch] = variance.v[ch] * (2*math.Sqrt(n) + 8)
	}
	y := p.out(backend.Image, c.shape()...)
	o.plan.Forward(y, o.x.Tensor, backend.MovingStats)
	o.plan.Forward(y, o.x.Tensor, backend.MovingStats)
	p.near("running mean", o.running.Tensor, mean, 1)
	p.near("running variance", o.runningSq.Tensor, variance, 1)
}

// batchModes: the batch's own statistics make the same of it whether the running ones move or stay;
// and a gradient is that of the last Forward, whatever mode came before.
func batchModes(p *Probe) {
	c := normCase{backend.NormSpec{Kind: backend.BatchNorm, C: 17, H: 4, W: 3, Eps: 1e-5, Momentum: 0.3}, 3}
	o := normOf(p, c)
	dy := p.in(backend.Image, c.shape()...)
	type answer struct{ y, dx, dgamma, dbeta []float32 }
	ask := func(mode backend.NormMode) answer {
		y, dx := p.out(backend.Image, c.shape()...), p.out(backend.Image, c.shape()...)
		dg, db := p.put(make([]float32, c.C), backend.Dense, c.C), p.put(make([]float32, c.C), backend.Dense, c.C)
		o.plan.Forward(y, o.x.Tensor, mode)
		o.plan.ParamGrad(dg.Tensor, db.Tensor, o.x.Tensor, dy.Tensor)
		o.plan.InputGrad(dx, dy.Tensor, o.x.Tensor)
		return answer{p.get(y), p.get(dx), p.get(dg.Tensor), p.get(db.Tensor)}
	}
	compare := func(what string, got, want answer) {
		p.sameValues(what+": y", c.shape(), got.y, want.y)
		p.sameValues(what+": dx", c.shape(), got.dx, want.dx)
		p.sameValues(what+": dgamma", []int{c.C}, got.dgamma, want.dgamma)
		p.sameValues(what+": dbeta", []int{c.C}, got.dbeta, want.dbeta)
	}
	running, batch := ask(backend.RunningStats), ask(backend.BatchStats)
	p.same("running mean after BatchStats", o.running.Tensor, o.running.v)
	p.same("running variance after BatchStats", o.runningSq.Tensor, o.runningSq.v)
	compare("RunningStats after BatchStats", ask(backend.RunningStats), running)
	compare("MovingStats and BatchStats", ask(backend.MovingStats), batch)
	if moved := p.get(o.running.Tensor); moved[0] == o.running.v[0] {
		p.faultf("MovingStats left the running mean of channel 0, %v, where it was", moved[0])
	}
	compare("BatchStats after MovingStats", ask(backend.BatchStats), batch)
}

// batchEvaluation: running statistics are used, left alone, and are constants to the gradient.
func batchEvaluation(p *Probe) {
	c := normCase{backend.NormSpec{Kind: backend.BatchNorm, C: 17, H: 3, W: 3, Eps: 1e-5, Momentum: 0.9}, 2}
	o := normOf(p, c)
	want, _ := o.forward(c, backend.RunningStats)
	y := p.out(backend.Image, c.shape()...)
	o.plan.Forward(y, o.x.Tensor, backend.RunningStats)
	p.near("y", y, want, 1)
	p.same("running mean", o.running.Tensor, o.running.v)
	p.same("running variance", o.runningSq.Tensor, o.runningSq.v)
	normGrad(p, c, backend.RunningStats)
}
