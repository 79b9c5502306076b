package backendtest

import (
	"fmt"
	"math"
	"slices"

	"jem/backend"
)

// times returns v scaled by f.
func times(f float32, v []float32) []float32 {
	for i := range v {
		v[i] *= f
	}
	return v
}

// lseEstimate is LogSumExp with its error measure, in units of u: the result's own
// rounding and that of the sum with the maximum (2·|lse|); the differences x−m are
// rounded and weigh by their softmax, at most log K together; the exponentials err by a
// few u each, 4; the positive sum by up to √K; the logarithm adds u·log K.
func lseEstimate(logits []float32, k int) estimate {
	e := newEstimate(len(logits) / k)
	for n := range e.v {
		e.v[n] = logSumExp(logits[n*k : (n+1)*k])
		e.s[n] = 2*math.Abs(e.v[n]) + 2*math.Log(float64(k)) + 4 + math.Sqrt(float64(k))
	}
	return e
}

func logSumExps(p *Probe) {
	for _, k := range []int{1, 2, 10, 17, 100, 1000} {
		for _, n := range []int{1, 3, 64} {
			x := times(8, p.random(n*k))
			lse, shifted := p.out(backend.Dense, n), p.out(backend.Dense, n)
			p.dev.LogSumExp(lse, p.fixed(x, backend.Dense, n, k).Tensor)
			p.near(fmt.Sprintf("(%d,%d)", n, k), lse, lseEstimate(x, k), 1)
			// The identity LogSumExp(x+c) = LogSumExp(x)+c, on numbers where x+c is exact.
			y := make([]float32, n*k)
			for i, v := range x {
				x[i] = float32(math.Round(float64(v)*64) / 64)
				y[i] = x[i] + 64
			}
			want := lseEstimate(x, k)
			for i := range want.v {
				want.v[i] += 64
				want.s[i] += 2 * 64
			}
			p.dev.LogSumExp(shifted, p.fixed(y, backend.Dense, n, k).Tensor)
			p.near(fmt.Sprintf("(%d,%d) shifted by 64", n, k), shifted, want, 1)
		}
	}
}

// logSumExpExtremes: no overflow, no 0·∞, no log of 0.
func logSumExpExtremes(p *Probe) {
	rows := [][]float32{
		{1e4, 1e4, 1e4, 1e4}, {-1e4, -1e4, -1e4, -1e4}, {1e4, -1e4, 0, 1}, {huge, huge, huge, huge},
		{-huge, -huge, -huge, -huge}, {huge, -huge, 0, 1}, {0, -1e4, -1e4, -huge}, {-100, -101, -102, -103},
	}
	for _, r := range rows {
		lse := p.out(backend.Dense, 1)
		p.dev.LogSumExp(lse, p.fixed(r, backend.Dense, 1, 4).Tensor)
		p.near(fmt.Sprint(r), lse, lseEstimate(r, 4), 1)
		// Its gradient is a softmax: finite and summing to 1.
		d := p.out(backend.Dense, 1, 4)
		p.dev.LogitGrad(d, p.fixed(r, backend.Dense, 1, 4).Tensor, nil, p.fixed([]float32{1, 0, 0, 0}, backend.Dense, 1, 4).Tensor)
		sum := 0.0
		for _, v := range p.get(d) {
			sum += float64(v)
		}
		// Equal logits give exact quarters; the mixed rows' softmax is one-hot. If it is taken as
		// exp(x−lse), the rounding of lse at 1e4 is 1e4·u = 6e-4; at 3e38 lse is the maximum
		// itself, so equal logits would give ones: an implementation must divide by the sum.
		equal(p, fmt.Sprint("softmax sum of ", r), sum, 1, u*(16+min(1e4, math.Abs(float64(r[0])))))
	}
}

// logitGradEstimate follows the formula in backend.Head, with labels nil for c₂ = 0. The
// softmax p errs relatively by: the exponential's few u, the rounding of its argument
// (|x−m|, or |lse| where lse is subtracted), the sum's √K. σ errs relatively by less than
// lse does absolutely, since its logarithm's slope is below 1.
func logitGradEstimate(logits []float32, labels []int32, coef []float32, k int) estimate {
	e, lse := newEstimate(len(logits)), lseEstimate(logits, k)
	for i, x := range logits {
		n := i / k
		c := wide(coef[4*n : 4*n+4])
		sigma := c[3] / (1 + math.Exp(-lse.v[n]))
		p := math.Exp(float64(x) - lse.v[n])
		rel := 16 + 2*math.Abs(float64(x)-lse.v[n]) + math.Abs(lse.v[n]) + math.Sqrt(float64(k))
		e.v[i] = (c[0] + c[1]*lse.v[n] + sigma) * p
		e.s[i] = (math.Abs(c[0])+math.Abs(c[1]*lse.v[n])+math.Abs(sigma))*p*rel + (math.Abs(c[1])+math.Abs(sigma))*lse.s[n]*p
		if labels != nil && int(labels[n]) == i%k {
			e.v[i] += c[2]
			e.s[i] += math.Abs(c[2])
		}
	}
	return e
}

// logitCase makes logits, labels and coefficients for n samples of k classes.
func logitCase(p *Probe, n, k int) (logits *operand, labels []int32, coef *operand) {
	labels = make([]int32, n)
	for i := range labels {
		labels[i] = int32(i * 7 % k)
	}
	return p.fixed(times(6, p.random(n*k)), backend.Dense, n, k), labels, p.in(backend.Dense, n, 4)
}

func logitGrad(p *Probe) {
	for _, k := range []int{1, 2, 10, 17, 100, 1000} {
		for _, n := range []int{1, 3, 64} {
			x, labels, coef := logitCase(p, n, k)
			d := p.out(backend.Dense, n, k)
			p.dev.LogitGrad(d, x.Tensor, p.index(labels...), coef.Tensor)
			p.near(fmt.Sprintf("(%d,%d)", n, k), d, logitGradEstimate(x.v, labels, coef.v, k), 1)
			c := append([]float32{}, coef.v...)
			for i := range n {
				c[4*i+2] = 0
			}
			p.dev.LogitGrad(d, x.Tensor, nil, p.fixed(c, backend.Dense, n, 4).Tensor)
			p.near(fmt.Sprintf("(%d,%d) without labels", n, k), d, logitGradEstimate(x.v, nil, c, k), 1)
		}
	}
}

// logitGradDifferences: the formula is the derivative of c₀·lse + ½c₁·lse² + c₂·x[label] + c₃·log(1+eˡˢᵉ).
// Central differences with h = 1e-4 of the float64 definition err by about h² = 1e-8.
func logitGradDifferences(p *Probe) {
	const n, k, h = 3, 10, 1e-4
	x, labels, coef := logitCase(p, n, k)
	want := logitGradEstimate(x.v, labels, coef.v, k)
	value := func(row []float64, i int) float64 {
		lse := 0.0
		for _, v := range row {
			lse += math.Exp(v)
		}
		lse = math.Log(lse)
		c := wide(coef.v[4*i : 4*i+4])
		return c[0]*lse + c[1]*lse*lse/2 + c[2]*row[labels[i]] + c[3]*math.Log1p(math.Exp(lse))
	}
	for i := range want.v {
		row := wide(x.v[i/k*k : i/k*k+k])
		at := row[i%k]
		row[i%k] = at + h
		up := value(row, i/k)
		row[i%k] = at - h
		want.v[i] = (up - value(row, i/k)) / (2 * h)
		want.s[i] += 1e-7 / u
	}
	d := p.out(backend.Dense, n, k)
	p.dev.LogitGrad(d, x.Tensor, p.index(labels...), coef.Tensor)
	p.near("dlogits", d, want, 1)
}

func logitGradRowSums(p *Probe) {
	for _, k := range []int{2, 10, 100, 1000} {
		const n = 5
		x, labels, coef := logitCase(p, n, k)
		lse, d := p.out(backend.Dense, n), p.out(backend.Dense, n, k)
		p.dev.LogSumExp(lse, x.Tensor)
		p.dev.LogitGrad(d, x.Tensor, p.index(labels...), coef.Tensor)
		l, g, e := p.get(lse), p.get(d), logitGradEstimate(x.v, labels, coef.v, k)
		for i := range n {
			sum, scale := 0.0, 0.0
			for j := i * k; j < (i+1)*k; j++ {
				sum, scale = sum+float64(g[j]), scale+e.s[j]
			}
			c := wide(coef.v[4*i : 4*i+4])
			equal(p, fmt.Sprintf("row %d of (%d,%d) and c0+c1*lse+c2+c3*sigma", i, n, k), sum, c[0]+c[1]*float64(l[i])+c[2]+c[3]/(1+math.Exp(-float64(l[i]))), u*scale)
		}
	}
}

// logitGradZeroRows: a sample that takes no part must leave no trace, −0 included in none.
func logitGradZeroRows(p *Probe) {
	x := p.fixed([]float32{3, -1, 2, 3e38, -3e38, 3e38, 1, 2, 3}, backend.Dense, 3, 3)
	coef := p.fixed([]float32{0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, backend.Dense, 3, 4)
	d := p.out(backend.Dense, 3, 3)
	p.dev.LogitGrad(d, x.Tensor, p.index(0, 1, 2), coef.Tensor)
	for i, v := range p.get(d)[:6] {
		if v != 0 {
			p.faultf("element %d of a row without coefficients: %v, want 0", i, v)
		}
	}
}

// logitGradSaturates: the logistic function of any lse is a number between 0 and 1, and precise where
// it is small, down to the smallest normal number.
func logitGradSaturates(p *Probe) {
	for _, at := range []float32{-huge, -1e4, -100, -80, -30, -1, 0, 1, 30, 80, 100, 1e4, huge} {
		x := []float32{at, at, at, at}
		if at > -huge && at < huge {
			x = []float32{at - 1, at - 2, at, at - 3}
		}
		coef := []float32{0, 0, 0, 0.75}
		d := p.out(backend.Dense, 1, 4)
		p.dev.LogitGrad(d, p.fixed(x, backend.Dense, 1, 4).Tensor, nil, p.fixed(coef, backend.Dense, 1, 4).Tensor)
		want := newEstimate(4)
		lse := lseEstimate(x, 4)
		top, sum := float64(slices.Max(x)), 0.0
		for _, v := range x {
			sum += math.Exp(float64(v) - top)
		}
		for i, v := range x {
			want.v[i] = 0.75 / (1 + math.Exp(-lse.v[0])) * math.Exp(float64(v)-top) / sum
			want.s[i] = want.v[i]*(32+min(lse.s[0], 1e6)) + 0x1p-126/u
		}
		p.near(fmt.Sprint("lse about ", at), d, want, 1)
	}
}
