package asm

import "unsafe"

var winoWideGeneric = ofWide(winoGeneric, Wino{
	Input:   (*WinoInput).genericWide,
	Output:  (*WinoOutput).genericWide,
	Windows: [3]func(*WinoWindows){1: (*WinoWindows).genericWide},
})

var (
	wideOthers [4][3]float32 // Pᵢ's coefficients of 1, t and t²; that of t³ is 1
	wideAll    [4]float32    // Q's of 1 to t³
	widePowers [4][8]float32 // of the points
)

func init() {
	var squares []float64
	for i, p := range WinoWide {
		squares = append(squares, p*p)
		power := 1.0
		for k := range widePowers[i] {
			widePowers[i][k] = float32(power)
			power *= p
		}
	}
	for k, c := range withRoots(squares)[:4] {
		wideAll[k] = float32(c)
	}
	for i := range WinoWide {
		for k, c := range withRoots(without(squares, i))[:3] {
			wideOthers[i][k] = float32(c)
		}
	}
}

// withRoots are the coefficients of the polynomial with these roots, the highest is 1.
func withRoots(roots []float64) []float64 {
	all := []float64{1}
	for _, root := range roots {
		next := make([]float64, len(all)+1)
		for k, c := range all {
			next[k] -= root * c
			next[k+1] += c
		}
		all = next
	}
	return all
}

// without is a copy of the list without element i.
func without(list []float64, i int) []float64 {
	return append(append([]float64(nil), list[:i]...), list[i+1:]...)
}

// wideIn is Bᵀ times a column.
func wideIn(d *[10]float32) (v [10]float32) {
	for i := range wideOthers {
		c := &wideOthers[i]
		even := d[8] + c[2]*d[6] + c[1]*d[4] + c[0]*d[2]
		odd := widePowers[i][1] * (d[7] + c[2]*d[5] + c[1]*d[3] + c[0]*d[1])
		v[1+2*i], v[2+2*i] = even+odd, even-odd
	}
	c := &wideAll
	v[0] = d[8] + c[3]*d[6] + c[2]*d[4] + c[1]*d[2] + c[0]*d[0]
	v[9] = d[9] + c[3]*d[7] + c[2]*d[5] + c[1]*d[3] + c[0]*d[1]
	return v
}

// wideOut is Aᵀ times a column.
func wideOut(m *[10]float32) (y [8]float32) {
	y[0], y[7] = m[0], m[9]
	for i := range widePowers {
		c := &widePowers[i]
		even, odd := m[1+2*i]+m[2+2*i], m[1+2*i]-m[2+2*i]
		for k := 0; k < 8; k += 2 {
			y[k] += c[k] * even
			y[k+1] += c[k+1] * odd
		}
	}
	return y
}

// genericWide is the portable input transform.
func (a *WinoInput) genericWide() {
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				x := unsafe.Add(a.X, block*a.XPlane+tile*WinoWideTile*64+4*lane)
				v := unsafe.Add(a.V, block*a.VBlock+64*tile+4*lane)
				var half [10][10]float32 // Bᵀ d, by row
				for c := range 10 {
					var d [10]float32
					for r := range d {
						d[r] = *at(x, r*a.XRow+64*c)
					}
					for r, f := range wideIn(&d) {
						half[r][c] = f
					}
				}
				for r := range half {
					for c, f := range wideIn(&half[r]) {
						*at(v, (10*r+c)*a.VPoint) = f
					}
				}
			}
		}
	}
}

// genericWide is the portable output transform.
func (a *WinoOutput) genericWide() {
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				m := unsafe.Add(a.M, tile*a.MTile+64*block+4*lane)
				var half [8][10]float32 // Aᵀ M, by row
				for c := range 10 {
					var d [10]float32
					for r := range d {
						d[r] = *at(m, (10*r+c)*a.MPoint)
					}
					for r, f := range wideOut(&d) {
						half[r][c] = f
					}
				}
				for r := range half {
					for c, f := range wideOut(&half[r]) {
						a.finish(f+*at(a.Bias, 64*block+4*lane), block*a.Plane+r*a.Row+64*(WinoWideTile*tile+c)+4*lane)
					}
				}
			}
		}
	}
}

// genericWide is the portable weights' transform.
func (a *WinoWindows) genericWide() {
	var u [WinoWidePoints]float64
	offs := (*[WinoWidePoints]int)(a.Offs)
	for channel := range a.Channels {
		for lane := range 16 {
			var g [9]float32
			for tap := range g {
				g[tap] = *at(a.G, 64*(9*channel+tap)+4*lane)
			}
			WinoWideWeights(&u, &g)
			for i, f := range u {
				*at(a.U, offs[i]+channel*a.UChannel+4*lane) = float32(f)
			}
		}
	}
}
