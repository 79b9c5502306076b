package backendtest

import (
	"math"

	"jem/backend"
)

// estimate is a result in float64 with what its rounding error is measured by: s is the
// sum of the magnitudes of the terms, so that float32 arithmetic errs by a few u·s.
type estimate struct{ v, s []float64 }

func newEstimate(n int) estimate { return estimate{make([]float64, n), make([]float64, n)} }

// exactly is the estimate of values that allow an error of a few u of their own size.
func exactly(v []float32) estimate {
	e := newEstimate(len(v))
	for i, x := range v {
		e.add(i, float64(x))
	}
	return e
}

func (e estimate) clone() estimate {
	return estimate{append([]float64{}, e.v...), append([]float64{}, e.s...)}
}

// add adds one term to element i.
func (e estimate) add(i int, term float64) {
	e.v[i] += term
	e.s[i] += math.Abs(term)
}

// plus adds v[i] to element i of a copy.
func (e estimate) plus(v []float32) estimate {
	e = e.clone()
	for i, x := range v {
		e.add(i, float64(x))
	}
	return e
}

// leaky applies LeakyReLU to a copy. Its slope is at most 1, so the error doesn't grow.
func (e estimate) leaky(slope float32) estimate {
	e = e.clone()
	for i, x := range e.v {
		if x <= 0 {
			e.v[i] *= float64(slope)
		}
	}
	return e
}

// gated multiplies a copy by LeakyReLU's derivative at act.
func (e estimate) gated(act []float32, slope float32) estimate {
	e = e.clone()
	for i, a := range act {
		if !(a > 0) {
			e.v[i] *= float64(slope)
			e.s[i] *= float64(slope)
		}
	}
	return e
}

// taps visits every product of a convolution over n images: element x of the input times
// element w of the weights contributes to element y of the output. All three verbs are
// sums over it.
func taps(s backend.ConvSpec, n int, visit func(x, w, y int)) {
	oh, ow := s.OutH(), s.OutW()
	kh, kw := s.Window()
	ph, pw := s.Padding()
	for y := range n * s.OutC * oh * ow {
		i, o, r, c := y/(s.OutC*oh*ow), y/(oh*ow)%s.OutC, y/ow%oh, y%ow
		for ic := range s.InC {
			for kr := range kh {
				for kc := range kw {
					xr, xc := r*s.Stride+kr-ph, c*s.Stride+kc-pw
					if xr >= 0 && xr < s.H && xc >= 0 && xc < s.W {
						visit(((i*s.InC+ic)*s.H+xr)*s.W+xc, ((o*s.InC+ic)*kh+kr)*kw+kc, y)
					}
				}
			}
		}
	}
}

// convForward is x∗w + b; b may be nil.
func convForward(s backend.ConvSpec, n int, x, w, b []float32) estimate {
	pixels := s.OutH() * s.OutW()
	e := newEstimate(n * s.OutC * pixels)
	taps(s, n, func(xi, wi, yi int) { e.add(yi, float64(x[xi])*float64(w[wi])) })
	for i := range e.v {
		if b != nil {
			e.add(i, float64(b[i/pixels%s.OutC]))
		}
	}
	return e
}

// convInputGrad is ∂(x∗w)/∂xᵀ·dy.
func convInputGrad(s backend.ConvSpec, n int, dy, w []float32) estimate {
	e := newEstimate(n * s.InC * s.H * s.W)
	taps(s, n, func(xi, wi, yi int) { e.add(xi, float64(dy[yi])*float64(w[wi])) })
	return e
}

// convParamGrad is the gradient of ⟨x∗w + b, dy⟩ at w and b.
func convParamGrad(s backend.ConvSpec, n int, x, dy []float32) (dw, db estimate) {
	dw, db = newEstimate(s.OutC*s.InC*s.Kernel*s.Kernel), newEstimate(s.OutC)
	taps(s, n, func(xi, wi, yi int) { dw.add(wi, float64(x[xi])*float64(dy[yi])) })
	for i, d := range dy {
		db.add(i/(s.OutH()*s.OutW())%s.OutC, float64(d))
	}
	return dw, db
}

// logSumExp is log Σ_k exp row[k].
func logSumExp(row []float32) float64 {
	m, sum := math.Inf(-1), 0.0
	for _, x := range row {
		m = max(m, float64(x))
	}
	for _, x := range row {
		sum += math.Exp(float64(x) - m)
	}
	return m + math.Log(sum)
}

// normalise is y = γ·(x−μ)/√(σ²+ε) + β over images (n,c,h,w), and the mean, biased
// variance and number of elements of the set that each element belongs to. With running statistics (mean,
// variance not nil) those take the batch's place.
func normalise(s backend.NormSpec, n int, x, gamma, beta, mean, variance []float64) (y, mu, va []float64, count float64) {
	y, mu, va = make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	sets := make(map[int][]int)
	for i := range x {
		g := group(s, i)
		sets[g] = append(sets[g], i)
	}
	for g, set := range sets {
		m, v := meanVar(x, set)
		if mean != nil {
			m, v = mean[g], variance[g]
		}
		for _, i := range set {
			c := i / (s.H * s.W) % s.C
			mu[i], va[i], count = m, v, float64(len(set))
			y[i] = gamma[c]*(x[i]-m)/math.Sqrt(v+float64(s.Eps)) + beta[c]
		}
	}
	return y, mu, va, count
}

// group numbers the set of elements that element i shares its statistics with.
func group(s backend.NormSpec, i int) int {
	switch s.Kind {
	case backend.BatchNorm:
		return i / (s.H * s.W) % s.C
	case backend.InstanceNorm:
		return i / (s.H * s.W)
	}
	return i / (s.C * s.H * s.W)
}

// meanVar is the mean and the biased variance of the elements of a set.
func meanVar(x []float64, set []int) (mean, variance float64) {
	for _, i := range set {
		mean += x[i] / float64(len(set))
	}
	for _, i := range set {
		variance += (x[i] - mean) * (x[i] - mean) / float64(len(set))
	}
	return mean, variance
}

func wide(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}
