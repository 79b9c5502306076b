package asm

import "unsafe"

// winoGeneric is the portable table, the definition the others are tested against.
var winoGeneric = Wino{
	Tile:       WinoTile,
	Blocks:     1,
	Width:      4,
	Input:      (*WinoInput).generic,
	Output:     (*WinoOutput).generic,
	Delta:      [3]func(*WinoDelta){1: (*WinoDelta).plain, 2: (*WinoDelta).strided},
	Outer:      [3]func(*WinoOuter){1: (*WinoOuter).generic},
	Taps:       [3]func(*WinoTaps){1: (*WinoTaps).plain, 2: (*WinoTaps).strided},
	Spread:     (*WinoSpread).generic,
	Windows:    [3]func(*WinoWindows){1: (*WinoWindows).plain, 2: (*WinoWindows).strided},
	Phases:     (*WinoPhases).generic,
	Stride:     strideOutput(5, 5, 1),
	Five:       (*WinoInput).genericFive,
	Phase:      [2][2]func(*WinoOutput){{strideOutput(4, 4, 2), strideOutput(4, 5, 2)}, {strideOutput(5, 4, 2), strideOutput(5, 5, 2)}},
	productMax: [3]int{1: 8},
	product: [3][maxTile + 1]func(*WinoProduct){1: {
		1: productGeneric(1), 2: productGeneric(2), 3: productGeneric(3), 4: productGeneric(4),
		5: productGeneric(5), 6: productGeneric(6), 7: productGeneric(7), 8: productGeneric(8),
	}},
}

const (
	winoPP = WinoP * WinoP
	winoQQ = WinoQ * WinoQ
)

// winoIn is Bᵀ times a column.
func winoIn(d [6]float32) [6]float32 {
	evenP, oddP := d[4]-winoQQ*d[2], WinoP*(d[3]-winoQQ*d[1])
	evenQ, oddQ := d[4]-winoPP*d[2], WinoQ*(d[3]-winoPP*d[1])
	return [6]float32{
		d[4] + winoPP*winoQQ*d[0] - (winoPP+winoQQ)*d[2],
		evenP + oddP, evenP - oddP, evenQ + oddQ, evenQ - oddQ,
		d[5] + winoPP*winoQQ*d[1] - (winoPP+winoQQ)*d[3],
	}
}

// winoOut is Aᵀ times a column.
func winoOut(m [6]float32) [4]float32 {
	evenP, oddP := m[1]+m[2], m[1]-m[2]
	evenQ, oddQ := m[3]+m[4], m[3]-m[4]
	return [4]float32{
		m[0] + evenP + evenQ,
		WinoP*oddP + WinoQ*oddQ,
		winoPP*evenP + winoQQ*evenQ,
		winoPP*WinoP*oddP + winoQQ*WinoQ*oddQ + m[5],
	}
}

// generic is the portable input transform.
func (a *WinoInput) generic() {
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				x := unsafe.Add(a.X, block*a.XPlane+tile*WinoTile*64+4*lane)
				v := unsafe.Add(a.V, block*a.VBlock+64*tile+4*lane)
				var half [6][6]float32 // Bᵀ d, by column
				for c := range half {
					half[c] = winoIn([6]float32{
						*at(x, 64*c), *at(x, a.XRow+64*c), *at(x, 2*a.XRow+64*c),
						*at(x, 3*a.XRow+64*c), *at(x, 4*a.XRow+64*c), *at(x, 5*a.XRow+64*c),
					})
				}
				for r := range 6 {
					row := winoIn([6]float32{half[0][r], half[1][r], half[2][r], half[3][r], half[4][r], half[5][r]})
					for c, f := range row {
						*at(v, (6*r+c)*a.VPoint) = f
					}
				}
			}
		}
	}
}

// generic is the portable output transform.
func (a *WinoOutput) generic() {
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				m := unsafe.Add(a.M, tile*a.MTile+64*block+4*lane)
				var half [6][4]float32 // Aᵀ M, by column
				for c := range half {
					var d [6]float32
					for r := range d {
						d[r] = *at(m, (6*r+c)*a.MPoint)
					}
					half[c] = winoOut(d)
				}
				for r := range 4 {
					row := winoOut([6]float32{half[0][r], half[1][r], half[2][r], half[3][r], half[4][r], half[5][r]})
					for c, v := range row {
						a.finish(v+*at(a.Bias, 64*block+4*lane), block*a.Plane+r*a.Row+64*(WinoTile*tile+c)+4*lane)
					}
				}
			}
		}
	}
}

// finish applies the epilogue to an output at the given bytes.
func (a *WinoOutput) finish(v float32, o int) {
	if a.Sign != nil && !(*at(a.Sign, o) > 0) {
		v *= a.Slope
	}
	if a.Residual != nil {
		v += *at(a.Residual, o)
	}
	if a.Raw != nil {
		*at(a.Raw, o) = v
	}
	if a.Act != nil {
		*at(a.Act, o) = max(v, a.Slope*v)
	}
}

// productGeneric is the product kernel for r tiles. It is that of a direct convolution
// without a window: Blocks offsets to 16 neighbouring floats.
func productGeneric(r int) func(*WinoProduct) {
	return func(p *WinoProduct) {
		for tile := 0; tile < r*p.Groups; tile += 2 {
			next := 0
			if tile+1 < r*p.Groups {
				next = 64
			}
			for lane := 0; lane < 16; lane += 4 {
				p.pair(tile, lane, next)
			}
		}
	}
}

// pair computes lanes lane … lane+3 of a tile and of the one next bytes on.
func (p *WinoProduct) pair(tile, lane, next int) {
	var a0, a1, a2, a3, b0, b1, b2, b3 float32
	u := unsafe.Add(p.U, 4*lane)
	for block := range p.Blocks {
		a := (*[16]float32)(unsafe.Add(p.V, block*p.VBlock+64*tile))
		b := (*[16]float32)(unsafe.Add(p.V, block*p.VBlock+64*tile+next))
		for k := range 16 {
			q := (*quad)(unsafe.Add(u, 64*(16*block+k)))
			u0, u1, u2, u3 := q[0], q[1], q[2], q[3]
			xa, xb := a[k], b[k]
			a0 += xa * u0
			a1 += xa * u1
			a2 += xa * u2
			a3 += xa * u3
			b0 += xb * u0
			b1 += xb * u1
			b2 += xb * u2
			b3 += xb * u3
		}
	}
	m := unsafe.Add(p.M, 64*tile+4*lane)
	*(*quad)(m) = quad{a0, a1, a2, a3}
	if next > 0 {
		*(*quad)(unsafe.Add(m, next)) = quad{b0, b1, b2, b3}
	}
}
