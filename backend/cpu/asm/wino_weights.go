package asm

// WinoWeights writes U = G g Gᵀ of a 3×3 window g, row by row, to 36 numbers u:
//
//	    ⎡  1   0   0  ⎤ / p²q²
//	    ⎢  1   p   p² ⎥ / 2p²(p²−q²)
//	G = ⎢  1  −p   p² ⎥ / 2p²(p²−q²)
//	    ⎢  1   q   q² ⎥ / 2q²(q²−p²)
//	    ⎢  1  −q   q² ⎥ / 2q²(q²−p²)
//	    ⎣  0   0   1  ⎦
//
// In float64, as it is done once a step and its error would enter every output.
func WinoWeights(u []float64, g *[9]float32) {
	var rows [18]float64 // G g, 6×3
	for x := range 3 {
		c := winoWeights(float64(g[x]), float64(g[3+x]), float64(g[6+x]))
		for i, v := range c {
			rows[3*i+x] = v
		}
	}
	for i := range 6 {
		c := winoWeights(rows[3*i], rows[3*i+1], rows[3*i+2])
		copy(u[6*i:], c[:])
	}
}

// winoWeights is G times a column.
func winoWeights(a, b, c float64) [6]float64 {
	const (
		pp, qq = WinoP * WinoP, WinoQ * WinoQ
		n0     = 1 / (pp * qq)
		np     = 1 / (2 * pp * (pp - qq))
		nq     = 1 / (2 * qq * (qq - pp))
	)
	evenP, evenQ := (a+pp*c)*np, (a+qq*c)*nq
	oddP, oddQ := WinoP*np*b, WinoQ*nq*b
	return [6]float64{n0 * a, evenP + oddP, evenP - oddP, evenQ + oddQ, evenQ - oddQ, c}
}

// WinoStrideWeights writes the weights of the 81 products of a 3×3 window g of stride 2 to
// u. Along an axis they are, at the points of the odd pixels and then of the even ones,
//
//	(g₀ ± p·g₂)/±n  (g₀ ± q·g₂)/±m  g₂    g₁/±n  g₁/±m
//
// with n = 2p(p²−q²), m = 2q(q²−p²).
func WinoStrideWeights(u []float64, g *[9]float32) {
	var rows [27]float64 // 9×3
	for x := range 3 {
		for i, v := range strideWeights(float64(g[x]), float64(g[3+x]), float64(g[6+x])) {
			rows[3*i+x] = v
		}
	}
	for i := range 9 {
		c := strideWeights(rows[3*i], rows[3*i+1], rows[3*i+2])
		copy(u[9*i:], c[:])
	}
}

func strideWeights(a, b, c float64) [9]float64 {
	const (
		p, q = WinoStrideP, WinoStrideQ
		np   = 1 / (2 * p * (p*p - q*q))
		nq   = 1 / (2 * q * (q*q - p*p))
	)
	return [9]float64{
		(a + p*c) * np, -(a - p*c) * np, (a + q*c) * nq, -(a - q*c) * nq, c,
		b * np, -b * np, b * nq, -b * nq,
	}
}
