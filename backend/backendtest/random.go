package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/philox"
)

func randomChecks() []Check {
	return []Check{
		{"random", "philox_known_answers", philoxKnownAnswers},
		{"random", "uniform_bits", uniformBits},
		{"random", "normal_values", normalValues},
		{"random", "normal_moments", normalMoments},
		{"random", "order_is_nchw", orderIsNCHW},
		{"random", "keys", keys},
		{"random", "offset", offset},
		{"random", "dropout", dropout},
		{"random", "dropout_share", dropoutShare},
	}
}

// philoxKnownAnswers takes the device through the first vector of the Random123
// distribution (kat_vectors, philox4x32 10, key and counter 0): the words' upper 24 bits.
func philoxKnownAnswers(p *Probe) {
	t := p.out(backend.Dense, 4)
	p.dev.Uniform(t, philox.Key{}, 0, 1)
	want := make([]float32, 4)
	for i, w := range []uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8} {
		want[i] = philox.Float(w)
	}
	p.same("zero key", t, want)
}

func uniformBits(p *Probe) {
	for _, l := range layouts() {
		for _, r := range [][2]float32{{0, 1}, {-1, 1}, {0.3, 2.9}} {
			key := p.key().At(p.draws, 17)
			key.Seed = math.MaxUint64 - key.Seed // both halves of the key in use
			want := make([]float32, size(l.shape))
			key.FillUniform(want, r[0], r[1])
			t := p.out(l.kind, l.shape...)
			p.dev.Uniform(t, key, r[0], r[1])
			p.same(fmt.Sprint(l, r), t, want)
		}
	}
	// A view has a stream of its own, beginning with number 0.
	t, key := p.put(make([]float32, 40), backend.Dense, 8, 5), p.key()
	p.dev.Uniform(p.dev.Rows(t.Tensor, 1, 4), key, -1, 1)
	key.FillUniform(t.v[5:20], -1, 1)
	p.same("rows 1:4", t.Tensor, t.v)
}

// normals is mean + std·ε for the key, the product and sum rounded; a device's logarithm
// and sine may put ε off by 2e-6·max(1,|ε|), 16 ulp at 1.
func normals(key philox.Key, n int, mean, std float32) estimate {
	e, z := newEstimate(n), make([]float32, n)
	key.FillNormal(z)
	for i, v := range z {
		x := float64(v)
		e.v[i] = float64(mean) + float64(std)*x
		e.s[i] = float64(std)*2e-6/u*max(1, math.Abs(x)) + 2*math.Abs(float64(mean)) + 2*math.Abs(float64(std)*x)
	}
	return e
}

func normalValues(p *Probe) {
	for _, l := range layouts() {
		for _, ms := range [][2]float32{{0, 1}, {-0.5, 0.03}} {
			key, t := p.key(), p.out(l.kind, l.shape...)
			p.dev.Normal(t, key, ms[0], ms[1])
			p.near(fmt.Sprint(l, ms), t, normals(key, size(l.shape), ms[0], ms[1]), 1)
		}
	}
	t := p.out(backend.Dense, 1<<18) // the tails too
	key := p.key()
	p.dev.Normal(t, key, 0, 1)
	p.near("2^18 numbers", t, normals(key, 1<<18, 0, 1), 1)
}

// normalMoments: five standard errors for the mean (n^-½), the variance ((2/n)^½), the
// excess kurtosis ((24/n)^½), and the lag-1 correlation (n^-½).
func normalMoments(p *Probe) {
	const n = 1 << 18
	t := p.out(backend.Dense, n)
	p.dev.Normal(t, p.key(), 0, 1)
	var m1, m2, m4, lag float64
	previous := 0.0
	for _, v := range p.get(t) {
		x := float64(v)
		m1, m2, m4, lag, previous = m1+x/n, m2+x*x/n, m4+x*x*x*x/n, lag+x*previous/n, x
	}
	equal(p, "mean", m1, 0, 5/math.Sqrt(n))
	equal(p, "variance", m2-m1*m1, 1, 5*math.Sqrt(2.0/n))
	equal(p, "excess kurtosis", m4/(m2*m2)-3, 0, 5*math.Sqrt(24.0/n))
	equal(p, "correlation of neighbours", lag, 0, 5/math.Sqrt(n))
}

// orderIsNCHW: the same numbers in the same order whatever the layout.
func orderIsNCHW(p *Probe) {
	const n = 2 * 96 * 5 * 4
	key := p.key()
	fills := map[string]func(t backend.Tensor){
		"Uniform": func(t backend.Tensor) { p.dev.Uniform(t, key, -1, 1) },
		"Normal":  func(t backend.Tensor) { p.dev.Normal(t, key, 0, 1) },
		"Dropout": func(t backend.Tensor) { p.dev.Fill(t, 1); p.dev.Dropout(t, t, key, 0.5) },
		"SGLDStep": func(t backend.Tensor) {
			g := p.alloc(t.Kind(), t.Shape()...)
			p.dev.Fill(t, 0)
			p.dev.SGLDStep(t, g, key, backend.SGLD{StepSize: 1, Noise: 1})
		},
	}
	for name, fill := range fills {
		dense := p.out(backend.Dense, n)
		fill(dense)
		want := quiet(p, dense)
		for _, s := range [][]int{{64, 3, 5, 4}, {6, 32, 5, 4}, {2, 96, 5, 4}, {48, 20, 2, 2}} {
			t := p.out(backend.Image, s...)
			fill(t)
			p.sameValues(fmt.Sprint(name, " as image", s), s, quiet(p, t), want)
		}
	}
}

func keys(p *Probe) {
	base := p.key()
	others := map[string]philox.Key{"step": base.At(int(base.Step)+1, 0), "sub": base.At(int(base.Step), 1), "seed": {Seed: base.Seed + 1, Step: base.Step}, "upper seed": {Seed: base.Seed + 1<<32, Step: base.Step}}
	const n = 64
	t := p.out(backend.Dense, n)
	p.dev.Normal(t, base, 0, 1)
	first := p.get(t)
	p.dev.Fill(t, 0)
	p.dev.Normal(t, base, 0, 1)
	p.same("same key", t, first)
	for name, k := range others {
		p.dev.Normal(t, k, 0, 1)
		equal := 0
		for i, v := range quiet(p, t) {
			if v == first[i] {
				equal++
			}
		}
		// Two of 2²⁴ × 2²⁴ pairs of words agree by chance with probability below 1e-6.
		if equal > 1 {
			p.faultf("another %s: %d of %d numbers are the same", name, equal, n)
		}
	}
}

// quiet downloads without touching the digest, for checks that visit a map.
func quiet(p *Probe, t backend.Tensor) []float32 {
	digest := p.digest
	v := p.get(t)
	p.digest = digest
	return v
}

// dropout: zero or x/(1−rate); the same mask in place, on the gradient and in any layout.
func dropout(p *Probe) {
	for _, l := range layouts() {
		const rate = 0.3
		key, n := p.key(), size(l.shape)
		ones := make([]float32, n)
		for i := range ones {
			ones[i] = 1
		}
		mask, x := p.put(ones, l.kind, l.shape...), p.in(l.kind, l.shape...)
		p.dev.Dropout(mask.Tensor, mask.Tensor, key, rate)
		want := newEstimate(n)
		for i, m := range p.get(mask.Tensor) {
			if m != 0 {
				want.add(i, float64(x.v[i])/(1-float64(float32(rate))))
			}
		}
		y := p.out(l.kind, l.shape...)
		p.dev.Dropout(y, x.Tensor, key, rate)
		p.near(l.String(), y, want, 3) // 1−rate, its inverse, the product
		none := p.out(l.kind, l.shape...)
		p.dev.Dropout(none, x.Tensor, key, 0)
		p.same(l.String()+" at rate 0", none, x.v)
	}
}

// dropoutShare: the number kept is binomial; five standard deviations.
func dropoutShare(p *Probe) {
	const n = 1 << 18
	for _, rate := range []float64{0.1, 0.5, 0.9} {
		t := p.out(backend.Dense, n)
		p.dev.Fill(t, 1)
		p.dev.Dropout(t, t, p.key(), float32(rate))
		kept := 0.0
		for _, v := range p.get(t) {
			if v != 0 {
				kept++
			}
		}
		equal(p, fmt.Sprint("share kept at rate ", rate), kept/n, 1-rate, 5*math.Sqrt(rate*(1-rate)/n))
	}
}
