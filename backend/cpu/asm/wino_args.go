package asm

import "unsafe"

// Winograd's F(4×4,3×3) computes a tile of 4×4 outputs of a 3×3 convolution from 6×6
// inputs with 36 products where the definition has 144:
//
//	Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//
// summed over input channels between the brackets. The matrices interpolate polynomials
// at the points 0, ±WinoP, ±WinoQ and ∞ (see WinoWeights for G):
//
//	     ⎡ p²q²     0  −p²−q²     0  1  0 ⎤        ⎡ 1  1   1  1   1  0 ⎤
//	     ⎢    0  −pq²    −q²      p  1  0 ⎥   Aᵀ = ⎢ 0  p  −p  q  −q  0 ⎥
//	Bᵀ = ⎢    0   pq²    −q²     −p  1  0 ⎥        ⎢ 0  p²  p² q²  q² 0 ⎥
//	     ⎢    0  −qp²    −p²      q  1  0 ⎥        ⎣ 0  p³ −p³ q³ −q³ 1 ⎦
//	     ⎢    0   qp²    −p²     −q  1  0 ⎥
//	     ⎣    0  p²q²     0  −p²−q²  0  1 ⎦
//
// 5/8 and 3/2 have about half the rounding error of the customary 1 and 2, for the same
// work; all their products here are exact in float32.
const (
	WinoP = 0.625
	WinoQ = 1.5

	// WinoPoints is the number of products of a tile, channel and channel.
	WinoPoints = 36
	// WinoTile is the width of a tile of outputs.
	WinoTile = 4
)

// WinoInput are the arguments of the input transform, V = Bᵀ d B for Tiles tiles side by
// side in each of Blocks blocks of 16 channels:
//
//	V[point·VPoint + block·VBlock + 64·tile + 4·lane] from
//	X[block·XPlane + row·XRow + (4·tile + column)·64 + 4·lane],  row, column < 6
//
// point = 6·row + column of the transformed tile. All strides are in bytes.
type WinoInput struct {
	X      unsafe.Pointer
	V      unsafe.Pointer
	XRow   int
	XPlane int
	VPoint int
	VBlock int
	Tiles  int // at least 1
	Blocks int // at least 1

	// X and V as far as a kernel has come, if it has no registers for that. In bytes: a pointer that leaves its
	// memory, even for a moment, is one that the collector stumbles over.
	MovedX, MovedV int
}

// WinoProduct are the arguments of a product kernel: at one point, for Groups groups of
// R tiles (the kernel's own) and 16 or 32 output channels,
//
//	M[tile][lane] = Σ_{block<Blocks} Σ_{k<16} V[block·VBlock + 64·tile + 4·k] · U[16·block + k][lane]
//
// The sum runs in this order, whatever R. V, U and M are aligned to 64 bytes. In bf16
// (Wino.Width 2) a tile of V has 32 bytes, a row of U a pair of channels in each lane, and a
// term of the sum is
//
//	V[block·VBlock + 32·tile + 4·k + 2] · U[8·block + k][lane, upper half]
//	 + V[block·VBlock + 32·tile + 4·k] · U[8·block + k][lane, lower half],  k < 8
//
// whose roundings are the processor's: subnormal numbers may count as zero.
//
// Meanwhile it brings memory to the level 2 cache that others will need: for each four
// terms of a group's sum two lines from Next on, then NextStep bytes further, and four
// lines from Dest on, then DestStep bytes further; in bf16 four and eight. These are hints, no
// pointers: any address will do.
type WinoProduct struct {
	V      unsafe.Pointer
	U      unsafe.Pointer
	M      unsafe.Pointer
	VBlock int // bytes
	Blocks int // of input channels, at least 1
	Groups int // at least 1

	Next, NextStep uintptr
	Dest, DestStep uintptr
}

// WinoOutput are the arguments of the output transform, v = Aᵀ M A for Tiles tiles side
// by side in each of Blocks blocks of 16 channels, with the epilogue of ConvTile:
//
//	v[block][row][4·tile + column] from M[point·MPoint + tile·MTile + 64·block + 4·lane]
//	v += Bias[16·block + lane]
//	v *= Slope where not Sign > 0   (if Sign)
//	v += Residual                   (if Residual)
//	Raw = v                         (if Raw)
//	Act = max(v, Slope·v)           (if Act)
//
// Sign, Residual, Raw and Act are addressed alike: 64 bytes between pixels, Row bytes
// between rows, Plane bytes between blocks. M is used up.
type WinoOutput struct {
	M      unsafe.Pointer
	MPoint int // bytes
	MTile  int // bytes
	Row    int
	Plane  int
	Tiles  int // at least 1
	Blocks int // at least 1

	Bias     unsafe.Pointer // not nil
	Sign     unsafe.Pointer
	Residual unsafe.Pointer
	Raw      unsafe.Pointer
	Act      unsafe.Pointer
	Slope    float32
}
