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
		{"head", "logit_grad_saturates", logitGradSaturates},
		{"head", "row_norm", rowNorm},
		{"head", "sum_squares", sumSquaresCheck},
		{"head", "product_squares", productSquares},
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
		p.near(fmt.Sprint(s), y, want, sums)
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
	return [][3]int{{1, 1, 1}, {1, 3, 10}, {3, 17, 10}, {5, 64, 100}, {2, 640, 1000}, {64, 128, 10}, {3, 40, 7},
		{37, 2, 64}, {50, 64, 64}, {19, 33, 48}, {33, 50, 20}, {300, 20, 33}}
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
		p.near(fmt.Sprint(s), y, want, sums)
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
		p.near(fmt.Sprint(s), dx, want, sums)
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
		p.near(fmt.Sprint(s, " dw"), dw.Tensor, wantW, sums)
		p.near(fmt.Sprint(s, " db"), db.Tensor, wantB, sums)
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

// productSquares: the same, with a product that is rounded before it is squared.
func productSquares(p *Probe) {
	for _, l := range layouts() {
		x, y := p.in(l.kind, l.shape...), p.in(l.kind, l.shape...)
		want := newEstimate(1)
		for i, v := range x.v {
			q := float64(v) * float64(y.v[i])
			want.add(0, q*q)
		}
		sum := p.out(backend.Dense, 1)
		p.dev.ProductSquares(sum, x.Tensor, y.Tensor)
		p.near(l.String(), sum, want, 2*math.Sqrt(float64(len(x.v)))+3)
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
