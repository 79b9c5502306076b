package asm

import "unsafe"

// winoEval is A times a column: the values at the points of the polynomial with these
// coefficients.
func winoEval(e [4]float32) [6]float32 {
	evenP, oddP := e[0]+winoPP*e[2], WinoP*(e[1]+winoPP*e[3])
	evenQ, oddQ := e[0]+winoQQ*e[2], WinoQ*(e[1]+winoQQ*e[3])
	return [6]float32{e[0], evenP + oddP, evenP - oddP, evenQ + oddQ, evenQ - oddQ, e[3]}
}

// winoTaps is Cᵀ times a column.
func winoTaps(m [6]float32) [3]float32 {
	const (
		n0 = 1 / (winoPP * winoQQ)
		np = 1 / (2 * winoPP * (winoPP - winoQQ))
		nq = 1 / (2 * winoQQ * (winoQQ - winoPP))
	)
	evenP, oddP := m[1]+m[2], m[1]-m[2]
	evenQ, oddQ := m[3]+m[4], m[3]-m[4]
	return [3]float32{
		n0*m[0] + np*evenP + nq*evenQ,
		np*WinoP*oddP + nq*WinoQ*oddQ,
		np*winoPP*evenP + nq*winoQQ*evenQ + m[5],
	}
}

// plain is the portable transform of output gradients.
func (a *WinoDelta) plain() {
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				e := unsafe.Add(a.DY, block*a.Plane+tile*WinoTile*64+4*lane)
				d := unsafe.Add(a.D, block*a.DBlock+64*tile+4*lane)
				var half [4][6]float32 // A e, by column
				var sum float32
				for c := range half {
					column := [4]float32{*at(e, 64*c), *at(e, a.Row+64*c), *at(e, 2*a.Row+64*c), *at(e, 3*a.Row+64*c)}
					half[c] = winoEval(column)
					sum += (column[0] + column[1]) + (column[2] + column[3])
				}
				for r := range 6 {
					for c, f := range winoEval([4]float32{half[0][r], half[1][r], half[2][r], half[3][r]}) {
						*at(d, (6*r+c)*a.DPoint) = f
					}
				}
				if a.Sum != nil {
					*at(a.Sum, 64*block+4*lane) += sum
				}
			}
		}
	}
}

// generic is the portable outer product for 16 output channels. It keeps eight sums at a
// time: two input channels and four lanes.
func (a *WinoOuter) generic() {
	for block := range a.Blocks {
		for k := 0; k < 16; k += 2 {
			for lane := 0; lane < 16; lane += 4 {
				a.square(unsafe.Add(a.V, block*a.VBlock+4*k), unsafe.Add(a.D, 4*lane), unsafe.Add(a.M, 64*(16*block+k)+4*lane))
			}
		}
	}
}

func (a *WinoOuter) square(v, d, m unsafe.Pointer) {
	m0, m1 := (*quad)(m), (*quad)(unsafe.Add(m, 64))
	if a.First != 0 {
		*m0, *m1 = quad{}, quad{}
	}
	a0, a1, a2, a3 := m0[0], m0[1], m0[2], m0[3]
	b0, b1, b2, b3 := m1[0], m1[1], m1[2], m1[3]
	for tile := range a.Tiles {
		x, e := (*[2]float32)(unsafe.Add(v, 64*tile)), (*quad)(unsafe.Add(d, 64*tile))
		xa, xb := x[0], x[1]
		a0 += xa * e[0]
		a1 += xa * e[1]
		a2 += xa * e[2]
		a3 += xa * e[3]
		b0 += xb * e[0]
		b1 += xb * e[1]
		b2 += xb * e[2]
		b3 += xb * e[3]
	}
	*m0, *m1 = quad{a0, a1, a2, a3}, quad{b0, b1, b2, b3}
}

// plain is the portable last transform.
func (a *WinoTaps) plain() {
	for channel := range a.Channels {
		for lane := range 16 {
			m := unsafe.Add(a.M, channel*a.MChannel+4*lane)
			w := unsafe.Add(a.W, 64*9*channel+4*lane)
			var half [6][3]float32 // Cᵀ M, by column
			for c := range half {
				var column [6]float32
				for r := range column {
					column[r] = *at(m, (6*r+c)*a.MPoint)
				}
				half[c] = winoTaps(column)
			}
			for r := range 3 {
				for c, f := range winoTaps([6]float32{half[0][r], half[1][r], half[2][r], half[3][r], half[4][r], half[5][r]}) {
					*at(w, 64*(3*r+c)) = f
				}
			}
		}
	}
}

// generic is the portable addition of gradients to where they belong.
func (a *WinoSpread) generic() {
	for lane := range 16 {
		to := unsafe.Slice((*float32)(unsafe.Add(a.To, lane*a.ToLane)), 8*a.Eights)
		for i := range to {
			to[i] += *at(a.From, 64*i+4*lane)
		}
	}
}
