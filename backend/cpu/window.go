package cpu

import "jem/backend"

// windows is a pooling over windows. A part is one plane of one image.
type windows struct {
	y, x   []float32
	to, in geometry
	w      backend.Window
	mean   bool
}

// MaxPool implements backend.Windower.
func (d *Device) MaxPool(y, x backend.Tensor, w backend.Window) { d.pool("MaxPool", y, x, w, false) }

// MeanPool implements backend.Windower.
func (d *Device) MeanPool(y, x backend.Tensor, w backend.Window) { d.pool("MeanPool", y, x, w, true) }

func (d *Device) pool(op string, y, x backend.Tensor, w backend.Window, mean bool) {
	d.now()
	s := x.Shape()
	if x.Kind() != backend.Image || !w.Fits(s[2], s[3]) {
		backend.Mismatch(op, y, x)
	}
	backend.CheckShape(op, y, backend.Image, s[0], s[1], w.Out(s[2]), w.Out(s[3]))
	d.windows = windows{y: floats(op, y), x: floats(op, x), to: y.(*tensor).geom, in: x.(*tensor).geom, w: w, mean: mean}
	d.workers.run(s[0]*d.windows.in.blocks, &d.windows)
	d.windows = windows{}
}

// part implements region.
func (p *windows) part(i, _ int) {
	n, b := i/p.in.blocks, i%p.in.blocks
	x := p.x[n*p.in.image+b*p.in.plane:]
	y := p.y[n*p.to.image+b*p.to.plane:]
	for h := range p.to.h {
		rows := p.inside(h, p.in.h)
		for w := range p.to.w {
			cols := p.inside(w, p.in.w)
			from := x[p.in.origin+rows.lo*p.in.row+cols.lo*p.in.pixel:]
			to := y[p.to.origin+h*p.to.row+w*p.to.pixel:]
			if p.in.blocked {
				p.pixel((*[block]float32)(to), from, rows.hi-rows.lo, cols.hi-cols.lo)
			} else {
				to[0] = p.value(from, rows.hi-rows.lo, cols.hi-cols.lo)
			}
		}
	}
}

// inside is the part of window i that lies in 0 … size−1.
func (p *windows) inside(i, size int) span {
	lo := i*p.w.Stride - p.w.Pad
	return span{max(0, lo), min(lo+p.w.Size, size)}
}

// pixel pools 16 channels; padded channels hold zeros and keep them.
func (p *windows) pixel(to *[block]float32, from []float32, rows, cols int) {
	sum := *(*[block]float32)(from)
	for r := range rows {
		for c := range cols {
			if r+c == 0 {
				continue
			}
			v := (*[block]float32)(from[r*p.in.row+c*block:])
			if p.mean {
				for j := range sum {
					sum[j] += v[j]
				}
			} else {
				for j := range sum {
					sum[j] = max(sum[j], v[j])
				}
			}
		}
	}
	if p.mean {
		scale := 1 / float32(rows*cols)
		for j := range sum {
			sum[j] *= scale
		}
	}
	*to = sum
}

// value pools one channel.
func (p *windows) value(from []float32, rows, cols int) float32 {
	v := from[0]
	for r := range rows {
		for c := range cols {
			switch at := from[r*p.in.row+c]; {
			case r+c == 0:
			case p.mean:
				v += at
			default:
				v = max(v, at)
			}
		}
	}
	if p.mean {
		v /= float32(rows * cols)
	}
	return v
}
