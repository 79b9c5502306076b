package asm

import (
	"math"
	"unsafe"
)

// winoBF16Generic is the portable table, the definition that the other is tested against.
var winoBF16Generic = inBF16(winoGeneric, Wino{
	Pairs:  (*WinoPairs).generic,
	Input:  func(a *WinoInput) { a.rounded(WinoPoints) },
	Five:   func(a *WinoInput) { a.rounded(25) },
	Phases: (*WinoPhases).rounded,
	product: [3][maxTile + 1]func(*WinoProduct){1: {
		1: pairsGeneric(1), 2: pairsGeneric(2), 3: pairsGeneric(3), 4: pairsGeneric(4),
		5: pairsGeneric(5), 6: pairsGeneric(6), 7: pairsGeneric(7), 8: pairsGeneric(8),
	}},
})

// roundBF16 is the nearest bf16, the one with an even last bit between two: the upper half of
// a float32. Subnormal numbers become zero, as the instruction has it.
func roundBF16(f float32) uint16 {
	const exponent, mantissa = 0x7f800000, 0x007fffff
	bits := math.Float32bits(f)
	switch {
	case bits&exponent == 0:
		bits &^= mantissa
	case bits&exponent == exponent && bits&mantissa != 0: // stays a NaN
		bits |= 1 << 22
	case bits&exponent != exponent:
		bits += 0x7fff + bits>>16&1
	}
	return uint16(bits >> 16)
}

// widen is the float32 of a bf16.
func widen(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

func at16(p unsafe.Pointer, bytes int) *uint16 { return (*uint16)(unsafe.Add(p, bytes)) }

// rounded is the float32 transform with so many points, rounded. It calls that by name: what
// is handed to a function value the compiler puts on the heap, once a call.
func (a *WinoInput) rounded(points int) {
	var tile [WinoPoints][16]float32
	one := *a
	one.V, one.VPoint, one.VBlock, one.Tiles, one.Blocks = unsafe.Pointer(&tile), 64, 0, 1, 1
	for block := range a.Blocks {
		for t := range a.Tiles {
			one.X = unsafe.Add(a.X, block*a.XPlane+t*WinoTile*64)
			if points == WinoPoints {
				one.generic()
			} else {
				one.genericFive()
			}
			for point := range points {
				for lane, f := range tile[point] {
					*at16(a.V, point*a.VPoint+block*a.VBlock+32*t+2*lane) = roundBF16(f)
				}
			}
		}
	}
}

// rounded is the float32 transform, rounded.
func (a *WinoPhases) rounded() {
	var tile [WinoStridePoints][16]float32
	var places [WinoStridePoints]int
	for i := range places {
		places[i] = 64 * i
	}
	offs := (*[WinoStridePoints]int)(a.Offs)
	one := *a
	one.V, one.Offs, one.VBlock, one.Tiles, one.Blocks = unsafe.Pointer(&tile), unsafe.Pointer(&places), 0, 1, 1
	for block := range a.Blocks {
		for t := range a.Tiles {
			one.X = unsafe.Add(a.X, block*a.XPlane+t*2*WinoTile*64)
			one.generic()
			for product, lanes := range tile {
				for lane, f := range lanes {
					*at16(a.V, offs[product]+block*a.VBlock+32*t+2*lane) = roundBF16(f)
				}
			}
		}
	}
}

// generic is the portable rounding of weights.
func (a *WinoPairs) generic() {
	offs := unsafe.Slice((*int)(a.Offs), a.Products)
	for product, off := range offs {
		for channel := range 16 {
			for lane := range 16 {
				f := *at(a.From, 64*(16*product+channel)+4*lane)
				*at16(a.U, off+channel/2*a.UPair+4*lane+channel%2*2) = roundBF16(f)
			}
		}
	}
}

// pairsGeneric is the product kernel for r tiles.
func pairsGeneric(r int) func(*WinoProduct) {
	return func(p *WinoProduct) {
		for tile := range r * p.Groups {
			var sums [16]float32
			for i := range 8 * p.Blocks {
				v, u := unsafe.Add(p.V, i/8*p.VBlock+32*tile+i%8*4), unsafe.Add(p.U, 64*i)
				even, odd := widen(*at16(v, 0)), widen(*at16(v, 2))
				pairs := (*[32]uint16)(u)
				for lane := range sums {
					sums[lane] += odd * widen(pairs[2*lane+1])
					sums[lane] += even * widen(pairs[2*lane])
				}
			}
			*(*[16]float32)(unsafe.Add(p.M, 64*tile)) = sums
		}
	}
}
