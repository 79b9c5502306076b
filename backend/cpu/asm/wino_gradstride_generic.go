package asm

import "unsafe"

// strideEval is A times a column: the values at ±p, ±q, ∞.
func strideEval(e [4]float32) [5]float32 {
	evenP, oddP := e[0]+stridePP*e[2], WinoStrideP*(e[1]+stridePP*e[3])
	evenQ, oddQ := e[0]+strideQQ*e[2], WinoStrideQ*(e[1]+strideQQ*e[3])
	return [5]float32{evenP + oddP, evenP - oddP, evenQ + oddQ, evenQ - oddQ, e[3]}
}

// strideTaps gives the taps of nine products.
func strideTaps(m [9]float32) [3]float32 {
	const (
		np = 1 / (2 * WinoStrideP * (stridePP - strideQQ))
		nq = 1 / (2 * WinoStrideQ * (strideQQ - stridePP))
	)
	return [3]float32{
		np*(m[0]-m[1]) + nq*(m[2]-m[3]),
		np*(m[5]-m[6]) + nq*(m[7]-m[8]),
		np*WinoStrideP*(m[0]+m[1]) + nq*WinoStrideQ*(m[2]+m[3]) + m[4],
	}
}

// strided is the portable transform of output gradients of stride 2.
func (a *WinoDelta) strided() {
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				e := unsafe.Add(a.DY, block*a.Plane+tile*WinoTile*64+4*lane)
				d := unsafe.Add(a.D, block*a.DBlock+64*tile+4*lane)
				var half [4][5]float32 // A e, by column
				var sum float32
				for c := range half {
					column := [4]float32{*at(e, 64*c), *at(e, a.Row+64*c), *at(e, 2*a.Row+64*c), *at(e, 3*a.Row+64*c)}
					half[c] = strideEval(column)
					sum += (column[0] + column[1]) + (column[2] + column[3])
				}
				for r := range 5 {
					for c, f := range strideEval([4]float32{half[0][r], half[1][r], half[2][r], half[3][r]}) {
						*at(d, (5*r+c)*a.DPoint) = f
					}
				}
				if a.Sum != nil {
					*at(a.Sum, 64*block+4*lane) += sum
				}
			}
		}
	}
}

// strided is the portable last transform for stride 2.
func (a *WinoTaps) strided() {
	for channel := range a.Channels {
		for lane := range 16 {
			m := unsafe.Add(a.M, channel*a.MChannel+4*lane)
			w := unsafe.Add(a.W, 64*9*channel+4*lane)
			var half [9][3]float32 // by row
			for r := range half {
				var row [9]float32
				for c := range row {
					row[c] = *at(m, (9*r+c)*a.MPoint)
				}
				half[r] = strideTaps(row)
			}
			for c := range 3 {
				var column [9]float32
				for r := range column {
					column[r] = half[r][c]
				}
				for r, f := range strideTaps(column) {
					*at(w, 64*(3*r+c)) = f
				}
			}
		}
	}
}
