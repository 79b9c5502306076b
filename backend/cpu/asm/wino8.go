package asm

// F(8×8,3×3) is Winograd's algorithm (see WinoInput) for tiles of 8×8 outputs: 100 products
// where F(4×4,3×3) has 144 for the same outputs and the definition 576, with larger rounding
// errors (docs/numerics.md). Its kernels have the arguments of the others. The matrices
// interpolate at 0, ±WinoWide[i] and ∞, in this order. With the polynomials
//
//	Pᵢ(t) = Π_{j≠i} (t − WinoWide[j]²)   and   Q(t) = Π (t − WinoWide[j]²)
//
// the rows of Bᵀ are the coefficients of Q(x²), of x·(x ± WinoWide[i])·Pᵢ(x²), and of x·Q(x²);
// those of Aᵀ are the points' powers from 0 to 7, for ∞ 0 but the last, which is 1.
const (
	// WinoWidePoints is the number of products of a tile, channel and channel.
	WinoWidePoints = 100
	// WinoWideTile is the width of a tile of outputs.
	WinoWideTile = 8
)

// WinoWide are the points. Of all such eighths these have the smallest rounding errors, or
// nearly so; all entries of the matrices are exact in float32.
var WinoWide = [4]float64{0.375, 0.875, 1.25, 2}

// WinoWideFor returns the kernels of an instruction set for tiles of 8×8 outputs. They
// have Input, Output, the products and, for stride 1, Windows.
func WinoWideFor(isa ISA) *Wino {
	if w := winoWideFor(isa); w != nil {
		return w
	}
	return &winoWideGeneric
}

// ofWide is a table for such tiles with the products of another one.
func ofWide(w, wide Wino) Wino {
	return Wino{
		Tile: WinoWideTile, Blocks: w.Blocks, Width: w.Width,
		Input: wide.Input, Output: wide.Output, Windows: wide.Windows,
		productMax: w.productMax, product: w.product,
	}
}
