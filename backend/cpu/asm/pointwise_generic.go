package asm

import (
	"math"

	"jem/backend/philox"
)

// genericPointwise is the definition of the kernels, for any machine.
func genericPointwise() Pointwise {
	return Pointwise{
		LeakyReLU:      leakyReLU,
		LeakyReLUGrad:  leakyReLUGrad,
		Axpy:           axpy,
		AxpySquared:    axpySquared,
		Lerp:           lerp,
		Clamp:          clamp,
		Sign:           sign,
		Box:            box,
		Drop:           drop,
		Adam:           adam,
		SGD:            sgd,
		Drift:          drift,
		SGLD:           sgld,
		Normal:         normal,
		Uniform:        uniform,
		SumSquares:     sumSquares,
		ProductSquares: productSquares,
		Dot:            dot,
		PixelSum:       pixelSum,
		PixelGrad:      pixelGrad,
		NormSum:        normSum,
		NormSquares:    normSquares,
		NormApply:      normApply,
		NormGradSums:   normGradSums,
		NormInputGrad:  normInputGrad,
	}
}

func leakyReLU(y, x []float32, slope float32) {
	for i, v := range x[:len(y)] {
		y[i] = max(v, slope*v)
	}
}

func leakyReLUGrad(dx, dy, y []float32, slope float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i, g := range dy {
		if !(y[i] > 0) {
			g *= slope
		}
		dx[i] = g
	}
}

func axpy(y, x []float32, a float32) {
	for i, v := range x[:len(y)] {
		y[i] += a * v
	}
}

func axpySquared(y, x []float32, a float32) {
	for i, v := range x[:len(y)] {
		y[i] += a * y[i] * y[i] * v
	}
}

func sign(x, g []float32, a float32) {
	for i, v := range g[:len(x)] {
		switch {
		case v > 0:
			v = a
		case v < 0:
			v = -a
		}
		x[i] += v
	}
}

func box(x, centre []float32, c *Box) {
	for i, m := range centre[:len(x)] {
		v := min(max(x[i], m-c.Radius), m+c.Radius)
		x[i] = min(max(v, min(c.Lo, m)), max(c.Hi, m))
	}
}

func lerp(y, x []float32, t float32) {
	for i, v := range x[:len(y)] {
		y[i] += t * (v - y[i])
	}
}

func clamp(x []float32, lo, hi float32) {
	for i, v := range x {
		x[i] = min(max(v, lo), hi)
	}
}

func drop(dst, src, u []float32, rate, scale float32) {
	for i := range dst {
		v := src[i] * scale
		if u[i] < rate {
			v = 0
		}
		dst[i] = v
	}
}

func adam(p, g, m, v []float32, c *Adam) {
	for i := range p {
		d := c.Scale*g[i] + c.Decay*p[i]
		m[i] = c.Beta1*m[i] + c.Rest1*d
		v[i] = c.Beta2*v[i] + c.Rest2*d*d
		p[i] -= c.Rate * m[i] / (sqrt(v[i])*c.Root + c.Eps)
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func sgd(p, g, m []float32, c *SGD) {
	for i := range p {
		m[i] = c.Momentum*m[i] + (c.Scale*g[i] + c.Decay*p[i])
		p[i] -= c.Rate * m[i]
	}
}

func drift(x, g []float32, c *SGLD) {
	for i, v := range x {
		v += c.Alpha * min(max(g[i], -c.Clip), c.Clip)
		x[i] = min(max(v, c.Lo), c.Hi)
	}
}

func sgld(x, g []float32, s *Stream, block uint64, c *SGLD) {
	key := s.key()
	for i := 0; i < len(x); i += 4 {
		z := key.Normal4(block + uint64(i/4))
		for j := i; j < min(i+4, len(x)); j++ {
			v := x[j] + c.Alpha*min(max(g[j], -c.Clip), c.Clip) + c.Sigma*z[j-i]
			x[j] = min(max(v, c.Lo), c.Hi)
		}
	}
}

func normal(dst []float32, s *Stream, block uint64, mean, std float32) {
	key := s.key()
	for i := 0; i < len(dst); i += 4 {
		z := key.Normal4(block + uint64(i/4))
		for j := i; j < min(i+4, len(dst)); j++ {
			dst[j] = mean + std*z[j-i]
		}
	}
}

func uniform(dst []float32, s *Stream, block uint64, lo, width float32) {
	key := s.key()
	for i := 0; i < len(dst); i += 4 {
		w := key.Words(block + uint64(i/4))
		for j := i; j < min(i+4, len(dst)); j++ {
			// The conversion keeps the compiler from fusing the multiply-add.
			dst[j] = lo + float32(width*philox.Float(w[j-i]))
		}
	}
}

func sumSquares(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

// productSquares: a product of two float32 is exact in float64.
func productSquares(x, y []float32) float64 {
	var sum float64
	for i, v := range y[:len(x)] {
		p := float64(x[i]) * float64(v)
		sum += p * p
	}
	return sum
}

func dot(a, b []float32) float32 {
	var sum float32
	for i, v := range b[:len(a)] {
		sum += a[i] * v
	}
	return sum
}

func pixelSum(sum *[16]float32, x []float32) {
	*sum = [16]float32{}
	for ; len(x) >= 16; x = x[16:] {
		for j, v := range x[:16] {
			sum[j] += v
		}
	}
}

func pixelGrad(dx, act []float32, g *[16]float32, slope float32) {
	for i := range dx {
		v := g[i%16]
		if !(act[i] > 0) {
			v *= slope
		}
		dx[i] = v
	}
}
