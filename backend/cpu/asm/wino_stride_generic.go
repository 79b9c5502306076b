package asm

import "unsafe"

const (
	stridePP = WinoStrideP * WinoStrideP
	strideQQ = WinoStrideQ * WinoStrideQ
)

// strideIn is Bᵀ times a column. The finite points' rows don't read its last element.
func strideIn(d [5]float32) [5]float32 {
	evenP, oddP := d[3]-strideQQ*d[1], WinoStrideP*(d[2]-strideQQ*d[0])
	evenQ, oddQ := d[3]-stridePP*d[1], WinoStrideQ*(d[2]-stridePP*d[0])
	return [5]float32{
		evenP + oddP, evenP - oddP, evenQ + oddQ, evenQ - oddQ,
		d[4] + stridePP*strideQQ*d[0] - (stridePP+strideQQ)*d[2],
	}
}

// stridePhases transforms nine pixels, odd ones first.
func stridePhases(d [9]float32) (v [9]float32) {
	odd := strideIn([5]float32{d[0], d[2], d[4], d[6], d[8]})
	even := strideIn([5]float32{d[1], d[3], d[5], d[7]})
	copy(v[:], odd[:])
	copy(v[5:], even[:4])
	return v
}

// strideOut is Aᵀ times a column.
func strideOut(m [5]float32) [4]float32 {
	evenP, oddP := m[0]+m[1], m[0]-m[1]
	evenQ, oddQ := m[2]+m[3], m[2]-m[3]
	return [4]float32{
		evenP + evenQ,
		WinoStrideP*oddP + WinoStrideQ*oddQ,
		stridePP*evenP + strideQQ*evenQ,
		stridePP*WinoStrideP*oddP + strideQQ*WinoStrideQ*oddQ + m[4],
	}
}

// generic is the portable input transform of stride 2.
func (a *WinoPhases) generic() {
	offs := (*[WinoStridePoints]int)(a.Offs)
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				x := unsafe.Add(a.X, block*a.XPlane+tile*2*WinoTile*64+4*lane)
				v := unsafe.Add(a.V, block*a.VBlock+64*tile+4*lane)
				var half [9][9]float32 // by column
				for c := range half {
					var d [9]float32
					for r := range d {
						d[r] = *at(x, r*a.XRow+64*c)
					}
					half[c] = stridePhases(d)
				}
				for r := range 9 {
					var d [9]float32
					for c := range d {
						d[c] = half[c][r]
					}
					for c, f := range stridePhases(d) {
						*at(v, offs[9*r+c]) = f
					}
				}
			}
		}
	}
}

// genericFive is the portable input transform of the gradient of stride 2.
func (a *WinoInput) genericFive() {
	for block := range a.Blocks {
		for tile := range a.Tiles {
			for lane := range 16 {
				x := unsafe.Add(a.X, block*a.XPlane+tile*WinoTile*64+4*lane)
				v := unsafe.Add(a.V, block*a.VBlock+64*tile+4*lane)
				var half [5][5]float32 // by column
				for c := range half {
					half[c] = strideIn([5]float32{*at(x, 64*c), *at(x, a.XRow+64*c), *at(x, 2*a.XRow+64*c), *at(x, 3*a.XRow+64*c), *at(x, 4*a.XRow+64*c)})
				}
				for r := range 5 {
					for c, f := range strideIn([5]float32{half[0][r], half[1][r], half[2][r], half[3][r], half[4][r]}) {
						*at(v, (5*r+c)*a.VPoint) = f
					}
				}
			}
		}
	}
}

// strideOutput is the portable output transform of 4 or 5 rows and columns of points, to
// pixels step apart.
func strideOutput(rows, columns, step int) func(*WinoOutput) {
	return func(a *WinoOutput) {
		for block := range a.Blocks {
			for tile := range a.Tiles {
				for lane := range 16 {
					m := unsafe.Add(a.M, tile*a.MTile+64*block+4*lane)
					var half [4][5]float32 // Aᵀ M
					for c := range columns {
						var d [5]float32
						for r := range rows {
							d[r] = *at(m, (columns*r+c)*a.MPoint)
						}
						for r, f := range strideOut(d) {
							half[r][c] = f
						}
					}
					for r, row := range half {
						for c, v := range strideOut(row) {
							a.finish(v+*at(a.Bias, 64*block+4*lane), block*a.Plane+r*a.Row+64*step*(WinoTile*tile+c)+4*lane)
						}
					}
				}
			}
		}
	}
}
