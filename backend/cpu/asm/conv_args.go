package asm

import "unsafe"

// ConvTile are the arguments of a tile kernel, the inner loop of a convolution's forward
// pass and input gradient. For Tiles tiles of R neighbouring pixels and the 16 or 32
// output channels of a group it computes
//
//	v[pixel][lane] = Bias[lane] + Σ_o Σ_{k<Inner} X[pixel·XPixel + Offs[o] + 4·k] · W[o·Inner + k][lane]
//	v *= Slope where not Sign > 0   (if Sign)
//	v += Residual                   (if Residual)
//	Raw = v                         (if Raw)
//	Act = max(v, Slope·v)           (if Act)
//
// where Sign, Residual, Raw and Act are addressed alike: Pixel bytes between pixels, 16
// channels side by side, Plane bytes between the first and the second 16. R is the
// kernel's own. The sum runs in the order of W, whatever R and Tiles.
//
// A window kernel differs in that X is read at three neighbouring pixels:
//
//	v[pixel][lane] = Bias[lane] + Σ_o Σ_{k<Inner} Σ_{j<3} X[(pixel+j)·XPixel + Offs[o] + 4·k] · W[3·(o·Inner + k) + j][lane]
type ConvTile struct {
	X       unsafe.Pointer // source of the first pixel
	W       unsafe.Pointer // packed weights, aligned to 64 bytes
	Offs    unsafe.Pointer // NumOffs ints: bytes from a pixel's source, 0 or more
	NumOffs int            // 0 gives v = Bias
	Inner   int            // neighbouring floats read at each offset: 16 channels, or a row of taps
	XPixel  int            // bytes from one pixel's source to the next
	Pixel   int
	Plane   int
	Tiles   int // at least 1

	Bias     unsafe.Pointer // a group of lanes, not nil
	Sign     unsafe.Pointer
	Residual unsafe.Pointer
	Raw      unsafe.Pointer
	Act      unsafe.Pointer
	Slope    float32
}

// ConvOuter are the arguments of an outer-product kernel, the inner loop of a
// convolution's parameter gradient. For R neighbouring floats of the input and the 16 or
// 32 output channels of a group it computes
//
//	Acc[r][lane] += Σ_{y<Rows} Σ_{x<Cols} X[y·XRow + x·XPixel + 4·r] · DY[y·DYRow + x·64 + 4·lane]
//
// with lanes 16 to 31 of DY lying DYPlane bytes further on. All strides are in bytes.
// The sum runs in this order.
//
// A window kernel has 16 lanes and three sums for each input, DY taken at three
// neighbouring pixels:
//
//	Acc[j][r][lane] += Σ_y Σ_x X[y·XRow + x·XPixel + 4·r] · DY[y·DYRow + (x+2−j)·64 + 4·lane],  j < 3
//
// where Acc[j] is AccTap bytes from Acc[j−1].
type ConvOuter struct {
	X       unsafe.Pointer
	DY      unsafe.Pointer
	Acc     unsafe.Pointer
	Rows    int // at least 1
	Cols    int // at least 1
	XRow    int
	XPixel  int
	DYRow   int
	DYPlane int
	AccTap  int
}

// ConvFold are the arguments of the fold kernel, which brings the lanes of neighbouring
// pixels (64 bytes apart) to planar channels, summing the taps of a window:
//
//	Dst[c·Plane + 4·x] = Σ_o Src[64·x + Offs[o] + 4·c],  c < Channels, x < Pixels
//
// It may read three floats beyond the last channel.
type ConvFold struct {
	Src      unsafe.Pointer
	Dst      unsafe.Pointer
	Offs     unsafe.Pointer // NumOffs ints: bytes, may be negative
	NumOffs  int            // at least 1
	Channels int            // at least 1
	Plane    int            // bytes
	Pixels   int
}
