package asm

// WinoWideWeights writes U = G g Gᵀ of a 3×3 window g, row by row. The rows of G are, with
// the polynomials of Bᵀ, p for WinoWide[i] and n = 2p²·Pᵢ(p²),
//
//	(1, 0, 0) / Q(0)   (1, ±p, p²) / n   (0, 0, 1)
//
// In float64, as WinoWeights.
func WinoWideWeights(u *[WinoWidePoints]float64, g *[9]float32) {
	var rows [10][3]float64 // G g
	for x := range 3 {
		for r, f := range wideWeights(float64(g[x]), float64(g[3+x]), float64(g[6+x])) {
			rows[r][x] = f
		}
	}
	for r, row := range rows {
		c := wideWeights(row[0], row[1], row[2])
		copy(u[10*r:], c[:])
	}
}

// wideScale are the numbers that rows of G are divided by: n of each point, then Q(0).
var wideScale = func() (n [5]float64) {
	n[4] = 1
	for i, p := range WinoWide {
		n[4] *= p * p
		n[i] = 2 * p * p
		for j, q := range WinoWide {
			if j != i {
				n[i] *= p*p - q*q
			}
		}
	}
	return n
}()

// wideWeights is G times a column.
func wideWeights(a, b, c float64) (u [10]float64) {
	u[0], u[9] = a/wideScale[4], c
	for i, p := range WinoWide {
		even, odd := (a+p*p*c)/wideScale[i], p*b/wideScale[i]
		u[1+2*i], u[2+2*i] = even+odd, even-odd
	}
	return u
}
