package asm

import "unsafe"

// A 3×3 window of stride 2 is four windows of stride 1 on the pixels of odd and of even
// rows and columns: along an axis, with odd pixels o[i] = x[2i+1] and even ones e[i] = x[2i],
//
//	y[i] = (g₀·o[i−1] + g₂·o[i]) + g₁·e[i]
//
// Four outputs of two taps need the five points ±WinoStrideP, ±WinoStrideQ, ∞; four of one
// tap need the finite ones only. The terms of a point add up before the transform back:
// (5+4)² = 81 products in place of 144 for a tile of 4×4 outputs, in 25 sums. Along an axis
//
//	     ⎡ −pq²  −q²   p      1  0 ⎤        ⎡ 1   1  1   1  0 ⎤
//	     ⎢  pq²  −q²  −p      1  0 ⎥   Aᵀ = ⎢ p  −p  q  −q  0 ⎥
//	Bᵀ = ⎢ −qp²  −p²   q      1  0 ⎥        ⎢ p²  p² q²  q² 0 ⎥
//	     ⎢  qp²  −p²  −q      1  0 ⎥        ⎣ p³ −p³ q³ −q³ 1 ⎦
//	     ⎣ p²q²   0  −p²−q²   0  1 ⎦
//
// whose first four rows read four numbers. A product has the number 9·row + column, rows
// and columns numbered 0 to 4 at the points of the odd pixels, 5 to 8 at those of the even.
//
// The gradient is the same turned around: 25 points of the output's gradient serve 16, 20,
// 20 and 25 products, for the even and odd rows and columns of the input's gradient.
const (
	WinoStrideP = 0.5
	WinoStrideQ = 1.5

	// WinoStridePoints is the number of products of a tile, channel and channel.
	WinoStridePoints = 81
)

// WinoPhases are the arguments of the input transform of stride 2, for Tiles tiles of 9×9
// inputs, 8 pixels apart, in each of Blocks blocks of 16 channels:
//
//	V[Offs[product] + block·VBlock + 64·tile + 4·lane],  product < 81, from
//	X[block·XPlane + row·XRow + (8·tile + column)·64 + 4·lane],  row, column < 9
//
// where rows and columns 0, 2, … are odd pixels, as the first lies before the tile. All
// strides are in bytes.
type WinoPhases struct {
	X      unsafe.Pointer
	V      unsafe.Pointer
	Offs   unsafe.Pointer // 81 ints: bytes
	XRow   int
	XPlane int
	VBlock int
	Tiles  int // at least 1
	Blocks int // at least 1
}
