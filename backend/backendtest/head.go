package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
)

func headChecks() []Check {
	return []Check{
		{"head", "avg_pool", avgPool},
		{"head", "avg_pool_grad", avgPoolGrad},
		{"head", "linear", linear},
		{"head", "linear_input_grad", linearInputGrad},
		{"head", "linear_param_grad", linearParamGrad},
		{"head", "log_sum_exp", logSumExps},
		{"head", "log_sum_exp_extremes", logSumExpExtremes},
		{"head", "logit_grad", logitGrad},
		{"head", "logit_grad_differences", logitGradDifferences},
		{"head", "logit_grad_row_sums", logitGradRowSums},
		{"head", "logit_grad_zero_rows", logitGradZeroRows},
		{"head", "row_norm", rowNorm},
		{"head", "sum_squares", sumSquaresCheck},
	}
}

// images are the layouts of kind Image, and the published network's last.
func images() [][]int {
	shapes := [][]int{{3, 128, 8, 8}}
	for _, l := range layouts() {
		if l.kind == backend.Image {
			shapes = append(shapes, l.shape)
		}
	}
	return shapes
}

// avgPool: a zero-mean sum and a division.
func avgPool(p *Probe) {
	for _, s := range images() {
		x, pixels := p.in(backend.Image, s...), s[2]*s[3]
		want := newEstimate(s[0] * s[1])
		for i, v := range x.v {
			want.add(i/pixels, float64(v)/float64(pixels))
		}
		y := p.out(backend.Dense, s[0], s[1])
		p.dev.AvgPool(y, x.Tensor)
		p.near(fmt.Sprint(s), y, want, 4)
	}
}

// avgPoolGrad: a division and, with act, a product.
func avgPoolGrad(p *Probe) {
	for _, s := range images() {
		dy, pixels := p.in(backend.Dense, s[0], s[1]), s[2]*s[3]
		act := p.fixed(withZero(p.random(size(s))), backend.Image, s...)
		want := newEstimate(size(s))
		for i := range want.v {
			want.add(i, float64(dy.v[i/pixels])/float64(pixels))
		}
		dx := p.out(backend.Image, s...)
		p.dev.AvgPoolGrad(dx, dy.Tensor, nil, 0.2)
		p.near(fmt.Sprint(s), dx, want, 2)
		gated := p.out(backend.Image, s...)
		p.dev.AvgPoolGrad(gated, dy.Tensor, act.Tensor, 0.2)
		p.near(fmt.Sprint(s, " with act"), gated, want.gated(act.v, 0.2), 3)
	}
}

// linearShapes are (N,D,K): samples, features, classes.
func linearShapes() [][3]int {
	return [][3]int{{1, 1, 1}, {1, 3, 10}, {3, 17, 10}, {5, 64, 100}, {2, 640, 1000}, {64, 128, 10}, {3, 40, 7}}
}

func linear(p *Probe) {
	for _, s := range linearShapes() {
		n, d, k := s[0], s[1], s[2]
		x, w, b := p.in(backend.Dense, n, d), p.in(backend.Dense, k, d), p.in(backend.Dense, k)
		want := newEstimate(n * k)
		for i := range want.v {
			for j := range d {
				want.add(i, float64(x.v[i/k*d+j])*float64(w.v[i%k*d+j]))
			}
			want.add(i, float64(b.v[i%k]))
		}
		y := p.out(backend.Dense, n, k)
		p.dev.Linear(y, x.Tensor, w.Tensor, b.Tensor)
		p.near(fmt.Sprint(s), y, want, 4)
	}
}

func linearInputGrad(p *Probe) {
	for _, s := range linearShapes() {
		n, d, k := s[0], s[1], s[2]
		dy, w := p.in(backend.Dense, n, k), p.in(backend.Dense, k, d)
		want := newEstimate(n * d)
		for i := range want.v {
			for c := range k {
				want.add(i, float64(dy.v[i/d*k+c])*float64(w.v[c*d+i%d]))
			}
		}
		dx := p.out(backend.Dense, n, d)
		p.dev.LinearInputGrad(dx, dy.Tensor, w.Tensor)
		p.near(fmt.Sprint(s), dx, want, 4)
	}
}

func linearParamGrad(p *Probe) {
	for _, s := range linearShapes() {
		n, d, k := s[0], s[1], s[2]
		x, dy := p.in(backend.Dense, n, d), p.in(backend.Dense, n, k)
		dw, db := p.put(p.random(k*d), backend.Dense, k, d), p.put(p.random(k), backend.Dense, k)
		wantW, wantB := exactly(dw.v), exactly(db.v)
		for r := range n {
			for i := range k * d {
				wantW.add(i, float64(dy.v[r*k+i/d])*float64(x.v[r*d+i%d]))
			}
			for c := range k {
				wantB.add(c, float64(dy.v[r*k+c]))
			}
		}
		p.dev.LinearParamGrad(dw.Tensor, db.Tensor, x.Tensor, dy.Tensor)
		p.near(fmt.Sprint(s, " dw"), dw.Tensor, wantW, 4)
		p.near(fmt.Sprint(s, " db"), db.Tensor, wantB, 4)
	}
}

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
	const huge = 3e38
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
		p.dev.LogitGrad(d, p.fixed(r, backend.Dense, 1, 4).Tensor, nil, p.fixed([]float32{1, 0, 0}, backend.Dense, 1, 3).Tensor)
		sum := 0.0
		for _, v := range p.get(d) {
			sum += float64(v)
		}
		// Equal logits give exact quarters; the mixed rows' softmax is one-hot. If it is taken as
		// exp(x−lse), the rounding of lse at 1e4 is 1e4·u = 6e-4; at 3e38 lse is the maximum
		// itself, so equal logits would give ones: an implementation must divide by the sum.
		p.equal(fmt.Sprint("softmax sum of ", r), sum, 1, 1, 16+min(1e4, math.Abs(float64(r[0]))))
	}
}

// logitGradEstimate follows the formula in backend.Head, with labels nil for c₂ = 0. The
// softmax p errs relatively by: the exponential's few u, the rounding of its argument
// (|x−m|, or |lse| where lse is subtracted), the sum's √K.
func logitGradEstimate(logits []float32, labels []int32, coef []float32, k int) estimate {
	e, lse := newEstimate(len(logits)), lseEstimate(logits, k)
	for i, x := range logits {
		n := i / k
		c0, c1, c2 := float64(coef[3*n]), float64(coef[3*n+1]), float64(coef[3*n+2])
		p := math.Exp(float64(x) - lse.v[n])
		rel := 16 + 2*math.Abs(float64(x)-lse.v[n]) + math.Abs(lse.v[n]) + math.Sqrt(float64(k))
		e.v[i] = (c0 + c1*lse.v[n]) * p
		e.s[i] = (math.Abs(c0)+math.Abs(c1*lse.v[n]))*p*rel + math.Abs(c1)*lse.s[n]*p
		if labels != nil && int(labels[n]) == i%k {
			e.v[i] += c2
			e.s[i] += math.Abs(c2)
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
	return p.fixed(times(6, p.random(n*k)), backend.Dense, n, k), labels, p.in(backend.Dense, n, 3)
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
				c[3*i+2] = 0
			}
			p.dev.LogitGrad(d, x.Tensor, nil, p.fixed(c, backend.Dense, n, 3).Tensor)
			p.near(fmt.Sprintf("(%d,%d) without labels", n, k), d, logitGradEstimate(x.v, nil, c, k), 1)
		}
	}
}

// logitGradDifferences: the formula is the derivative of c₀·lse + ½c₁·lse² + c₂·x[label].
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
		c := wide(coef.v[3*i : 3*i+3])
		return c[0]*lse + c[1]*lse*lse/2 + c[2]*row[labels[i]]
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
			c := wide(coef.v[3*i : 3*i+3])
			p.equal(fmt.Sprintf("row %d of (%d,%d) and c0+c1*lse+c2", i, n, k), sum, c[0]+c[1]*float64(l[i])+c[2], scale, 1)
		}
	}
}

// logitGradZeroRows: a sample that takes no part must leave no trace, −0 included in none.
func logitGradZeroRows(p *Probe) {
	x := p.fixed([]float32{3, -1, 2, 3e38, -3e38, 3e38, 1, 2, 3}, backend.Dense, 3, 3)
	coef := p.fixed([]float32{0, 0, 0, 0, 0, 0, 1, 0, 0}, backend.Dense, 3, 3)
	d := p.out(backend.Dense, 3, 3)
	p.dev.LogitGrad(d, x.Tensor, p.index(0, 1, 2), coef.Tensor)
	for i, v := range p.get(d)[:6] {
		if v != 0 {
			p.faultf("element %d of a row without coefficients: %v, want 0", i, v)
		}
	}
}

// sumSquares is Σ x²: its terms have one sign, so float32 sums reach u·√n of it.
func sumSquares(v []float32) estimate {
	e := newEstimate(1)
	for _, x := range v {
		e.add(0, float64(x)*float64(x))
	}
	return e
}

func sumSquaresCheck(p *Probe) {
	for _, l := range layouts() {
		x := p.in(l.kind, l.shape...)
		sum := p.out(backend.Dense, 1)
		p.dev.SumSquares(sum, x.Tensor)
		p.near(l.String(), sum, sumSquares(x.v), 2*math.Sqrt(float64(len(x.v)))+1)
	}
}

// rowNorm: the root halves the relative error of the sum and rounds once.
func rowNorm(p *Probe) {
	for _, l := range layouts() {
		x, n := p.in(l.kind, l.shape...), l.shape[0]
		row := len(x.v) / n
		want := newEstimate(n)
		for i := range n {
			want.add(i, math.Sqrt(sumSquares(x.v[i*row : (i+1)*row]).v[0]))
		}
		norm := p.out(backend.Dense, n)
		p.dev.RowNorm(norm, x.Tensor)
		p.near(l.String(), norm, want, math.Sqrt(float64(row))+2)
	}
}
