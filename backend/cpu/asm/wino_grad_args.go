package asm

import "unsafe"

// The gradient of a 3×3 window's weights sums, over all tiles, the 3×3 correlations of the
// tile's 6×6 inputs d with the 4×4 gradients e of its outputs. That is F(3×3,4×4), on the
// same six points and with the same Bᵀ:
//
//	dW = Cᵀ [ Σ_tiles (Bᵀ d B) ⊙ (A e Aᵀ) ] C
//
//	     ⎡ 1  1  1   1  1   0 ⎤
//	Cᵀ = ⎢ 0  p  −p  q  −q  0 ⎥ · diag(1/p²q², 1/n, 1/n, 1/m, 1/m, 1)
//	     ⎣ 0  p² p²  q² q²  1 ⎦
//
// with n = 2p²(p²−q²), m = 2q²(q²−p²), and A the transpose of the output transform's. So
// the tiles' transforms have exact entries, and the division is done once, in the end.
//
// For stride 2 the products are the 81 of WinoPhases, of its inputs and A e Aᵀ at 25
// points. Along an axis the taps are, with n = 2p(p²−q²), m = 2q(q²−p²) and the products
// o of odd pixels and e of even ones,
//
//	g₀ = (o₀−o₁)/n + (o₂−o₃)/m   g₁ = (e₀−e₁)/n + (e₂−e₃)/m   g₂ = (o₀+o₁)p/n + (o₂+o₃)q/m + o₄

// WinoDelta are the arguments of the output gradient's transform, D = A e Aᵀ for Tiles
// tiles side by side in each of Blocks blocks of 16 channels (at 36 or 25 points):
//
//	D[point·DPoint + block·DBlock + 64·tile + 4·lane] from
//	DY[block·Plane + row·Row + (4·tile + column)·64 + 4·lane],  row, column < 4
//
// and Sum[16·block + lane] += Σ DY, the bias's gradient, unless Sum is nil. All strides
// are in bytes.
type WinoDelta struct {
	DY     unsafe.Pointer
	D      unsafe.Pointer
	Sum    unsafe.Pointer
	Row    int
	Plane  int
	DPoint int
	DBlock int
	Tiles  int // at least 1
	Blocks int // at least 1
}

// WinoOuter are the arguments of an outer-product kernel: at one point, for Blocks blocks
// of 16 input channels and the 16 or 32 output channels of a group,
//
//	M[16·block + k][lane] += Σ_{tile<Tiles} V[block·VBlock + 64·tile + 4·k] · D[64·tile + 4·lane]
//
// with lanes 16 to 31 of D lying DBlock bytes further on, or the sum alone if First is not
// 0, whatever M holds. The sum runs in this order. M is aligned to 64 bytes.
//
// Meanwhile it brings memory to the level 2 cache that will be needed: for each four tiles
// of a sum two lines from Next on, then NextStep bytes further. These are hints, as
// WinoProduct's.
type WinoOuter struct {
	V      unsafe.Pointer
	D      unsafe.Pointer
	M      unsafe.Pointer
	VBlock int // bytes
	DBlock int // bytes
	Tiles  int // at least 1
	Blocks int // at least 1
	First  int

	Next, NextStep uintptr
}

// WinoTaps are the arguments of the last transform, Cᵀ M C for 16 output channels and each
// of Channels input channels, from 36 or 81 products:
//
//	W[channel][tap][lane] from M[point·MPoint + channel·MChannel + 4·lane],  tap < 9
//
// Strides are in bytes. M is used up.
type WinoTaps struct {
	M        unsafe.Pointer
	W        unsafe.Pointer
	MPoint   int
	MChannel int
	Channels int // at least 1
}

// WinoSpread are the arguments of the addition of gradients of 16 output channels, side by
// side as WinoTaps writes them, to where each channel has its own together:
//
//	To[lane·ToLane + 4·i] += From[64·i + 4·lane],  i < 8·Eights, lane < 16
//
// ToLane is in bytes.
type WinoSpread struct {
	From   unsafe.Pointer
	To     unsafe.Pointer
	ToLane int
	Eights int // at least 1
}
