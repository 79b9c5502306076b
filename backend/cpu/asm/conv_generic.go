package asm

import "unsafe"

// convGeneric is the portable table, the definition the others are tested against. Its
// groups have one block, and one function serves every tile size.
var convGeneric = Conv{
	Blocks:   1,
	tileMax:  [3]int{1: 8},
	outerMax: 8,
	tile: [3][maxTile + 1]func(*ConvTile){1: {
		1: tileGeneric(1), 2: tileGeneric(2), 3: tileGeneric(3), 4: tileGeneric(4),
		5: tileGeneric(5), 6: tileGeneric(6), 7: tileGeneric(7), 8: tileGeneric(8),
	}},
	outer: [3][maxOuter + 1]func(*ConvOuter){1: {
		1: outerGeneric(1), 2: outerGeneric(2), 3: outerGeneric(3), 4: outerGeneric(4),
		5: outerGeneric(5), 6: outerGeneric(6), 7: outerGeneric(7), 8: outerGeneric(8),
	}},
}

// at is the float at p plus bytes.
func at(p unsafe.Pointer, bytes int) *float32 { return (*float32)(unsafe.Add(p, bytes)) }

// quad is as much of a tile as fits the registers of a machine without vectors.
type quad [4]float32

// tileGeneric is the tile kernel for r pixels: it works through the tile by four lanes
// of two pixels (or the last one) at a time.
func tileGeneric(r int) func(*ConvTile) {
	return func(t *ConvTile) {
		for pixel := 0; pixel < r*t.Tiles; pixel += 2 {
			two := pixel+1 < r*t.Tiles
			for lane := 0; lane < 16; lane += 4 {
				a, b := t.pair(pixel, lane, two)
				t.finish(a, pixel, lane)
				if two {
					t.finish(b, pixel+1, lane)
				}
			}
		}
	}
}

// pair sums lanes lane … lane+3 of a pixel and, if two, of the next one.
func (t *ConvTile) pair(pixel, lane int, two bool) (a, b quad) {
	bias := (*quad)(unsafe.Add(t.Bias, 4*lane))
	a0, a1, a2, a3 := bias[0], bias[1], bias[2], bias[3]
	b0, b1, b2, b3 := a0, a1, a2, a3
	next := t.XPixel
	if !two {
		next = 0
	}
	w := 4 * lane
	for _, off := range unsafe.Slice((*int)(t.Offs), t.NumOffs) {
		x := off + pixel*t.XPixel
		for k := range t.Inner {
			q := (*quad)(unsafe.Add(t.W, w))
			w0, w1, w2, w3 := q[0], q[1], q[2], q[3]
			xa, xb := *at(t.X, x+4*k), *at(t.X, x+4*k+next)
			a0 += xa * w0
			a1 += xa * w1
			a2 += xa * w2
			a3 += xa * w3
			b0 += xb * w0
			b1 += xb * w1
			b2 += xb * w2
			b3 += xb * w3
			w += 4 * 16
		}
	}
	return quad{a0, a1, a2, a3}, quad{b0, b1, b2, b3}
}

// finish applies the epilogue to four lanes of a pixel.
func (t *ConvTile) finish(q quad, pixel, lane int) {
	for i, v := range q {
		o := pixel*t.Pixel + 4*(lane+i)
		if t.Sign != nil && !(*at(t.Sign, o) > 0) {
			v *= t.Slope
		}
		if t.Residual != nil {
			v += *at(t.Residual, o)
		}
		if t.Raw != nil {
			*at(t.Raw, o) = v
		}
		if t.Act != nil {
			*at(t.Act, o) = max(v, t.Slope*v)
		}
	}
}

// outerGeneric is the outer-product kernel for r input floats.
func outerGeneric(r int) func(*ConvOuter) {
	return func(o *ConvOuter) {
		for i := 0; i < r; i += 2 {
			for lane := 0; lane < 16; lane += 4 {
				o.pair(i, lane, i+1 < r)
			}
		}
	}
}

// pair accumulates lanes lane … lane+3 of input float i and, if two, of the next one.
func (o *ConvOuter) pair(i, lane int, two bool) {
	next := 0
	if two {
		next = 4
	}
	acc := unsafe.Add(o.Acc, 4*(16*i+lane))
	a, b := (*quad)(acc), (*quad)(unsafe.Add(acc, 16*next))
	a0, a1, a2, a3 := a[0], a[1], a[2], a[3]
	b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
	for y := range o.Rows {
		x, d := y*o.XRow+4*i, y*o.DYRow+4*lane
		for range o.Cols {
			q := (*quad)(unsafe.Add(o.DY, d))
			d0, d1, d2, d3 := q[0], q[1], q[2], q[3]
			xa, xb := *at(o.X, x), *at(o.X, x+next)
			a0 += xa * d0
			a1 += xa * d1
			a2 += xa * d2
			a3 += xa * d3
			b0 += xb * d0
			b1 += xb * d1
			b2 += xb * d2
			b3 += xb * d3
			x += o.XPixel
			d += 4 * 16
		}
	}
	*a = quad{a0, a1, a2, a3}
	if two {
		*b = quad{b0, b1, b2, b3}
	}
}

// generic is the portable fold kernel.
func (f *ConvFold) generic() {
	for c := range f.Channels {
		for x := range f.Pixels {
			var v float32
			for _, off := range unsafe.Slice((*int)(f.Offs), f.NumOffs) {
				v += *at(f.Src, 64*x+off+4*c)
			}
			*at(f.Dst, c*f.Plane+4*x) = v
		}
	}
}
