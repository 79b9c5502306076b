package cpu

import "jem/backend"

// transfer moves rows (samples) between contiguous NCHW memory and a tensor in its own
// layout. One part is one plane of one row.
type transfer struct {
	op   func(t *transfer, row, plane int)
	g    geometry  // of the tensor's rows
	data []float32 // the tensor
	flat []float32 // the contiguous side
	rows []int32   // rows of the contiguous side; nil: all, in order
	n    int       // rows to move
}

func (t *transfer) part(i, _ int) { t.op(t, i/t.g.blocks, i%t.g.blocks) }

// row is the contiguous side of the i-th row to move.
func (t *transfer) row(i int) []float32 {
	if t.rows != nil {
		i = int(t.rows[i])
	}
	n := t.g.c * t.g.h * t.g.w
	return t.flat[i*n : (i+1)*n]
}

// load copies plane b of image i from the contiguous side, store to it.
func (t *transfer) load(i, b int)  { t.g.load(t.data[i*t.g.image:], t.g.span(t.row(i), b), b) }
func (t *transfer) store(i, b int) { t.g.store(t.g.span(t.row(i), b), t.data[i*t.g.image:], b) }

// prepare makes t the region's tensor. A Dense tensor is one plane of one channel a row.
func (d *Device) prepare(op string, t backend.Tensor, flat []float32) *transfer {
	r := &d.transfer
	*r = transfer{data: floats(op, t), flat: flat, n: t.Shape()[0], g: t.(*tensor).geom}
	if t.Kind() == backend.Dense {
		r.g = newGeometry(1, 1, len(r.data)/r.n)
	}
	return r
}

func (d *Device) load(r *transfer) {
	r.op = (*transfer).load
	d.workers.run(r.n*r.g.blocks, r)
}

func (d *Device) store(r *transfer) {
	r.op = (*transfer).store
	d.workers.run(r.n*r.g.blocks, r)
}

// pieces copies between contiguous memories, a chunk a part.
type pieces struct{ dst, src []float32 }

func (p *pieces) part(i, _ int) {
	lo, hi := i*chunk, min((i+1)*chunk, len(p.src))
	copy(p.dst[lo:hi], p.src[lo:hi])
}

// move copies src to dst, both contiguous: a Dense tensor's rows may be too many, or too few, to be parts.
func (d *Device) move(dst, src []float32) {
	d.pieces = pieces{dst, src}
	d.workers.run(chunks(len(src)), &d.pieces)
	d.pieces = pieces{}
}

// span is the part of an NCHW image that becomes plane b.
func (g *geometry) span(flat []float32, b int) []float32 {
	size := g.h * g.w
	return flat[b*g.pixel*size:][:g.lanes(b)*size]
}

// load copies plane b into an image of this layout from span, its channels one after the
// other.
func (g *geometry) load(image, span []float32, b int) {
	plane := image[b*g.plane:][:g.plane]
	if !g.blocked {
		copy(plane, span)
		return
	}
	for h := range g.h {
		row := plane[g.origin+h*g.row:][:g.w*block]
		for c := range g.lanes(b) {
			for w, v := range span[(c*g.h+h)*g.w:][:g.w] {
				row[w*block+c] = v
			}
		}
	}
}

// store is the inverse of load.
func (g *geometry) store(span, image []float32, b int) {
	plane := image[b*g.plane:][:g.plane]
	if !g.blocked {
		copy(span, plane)
		return
	}
	for h := range g.h {
		row := plane[g.origin+h*g.row:][:g.w*block]
		for c := range g.lanes(b) {
			line := span[(c*g.h+h)*g.w:][:g.w]
			for w := range line {
				line[w] = row[w*block+c]
			}
		}
	}
}

// Upload implements backend.Memory.
func (d *Device) Upload(dst backend.Tensor, src []float32) {
	if len(src) != backend.Len(dst) {
		backend.Mismatch("Upload", dst)
	}
	d.written(dst)
	if dst.Kind() == backend.Dense {
		d.move(floats("Upload", dst), src)
		return
	}
	d.load(d.prepare("Upload", dst, src))
}

// UploadRows implements backend.Memory.
func (d *Device) UploadRows(dst backend.Tensor, rows []int, src []float32) {
	d.written(dst)
	r := d.prepare("UploadRows", dst, src)
	n := backend.Len(dst) / r.n
	if len(src) != n*len(rows) {
		backend.Mismatch("UploadRows", dst)
	}
	for i, row := range rows {
		if row < 0 || row >= dst.Shape()[0] {
			backend.Mismatch("UploadRows", dst)
		}
		for b := range r.g.blocks {
			r.g.load(r.data[row*r.g.image:], r.g.span(src[i*n:], b), b)
		}
	}
}

// UploadIndex implements backend.Memory.
func (d *Device) UploadIndex(dst backend.Tensor, src []int32) {
	if dst.Kind() != backend.Index || len(src) != len(dst.(*tensor).index) {
		backend.Mismatch("UploadIndex", dst)
	}
	d.written(dst)
	copy(dst.(*tensor).index, src)
}

// written begins a verb that writes to t from the host: it waits for recorded calls only if they use t.
func (d *Device) written(t backend.Tensor) {
	if d.recording != nil && d.recording.touches(t.(*tensor)) {
		d.now()
	}
}

// Download implements backend.Memory. The CPU has no trouble of its own to report.
func (d *Device) Download(dst []float32, src backend.Tensor) error {
	d.now()
	if len(dst) != backend.Len(src) {
		backend.Mismatch("Download", src)
	}
	if src.Kind() == backend.Dense {
		d.move(dst, floats("Download", src))
		return nil
	}
	d.store(d.prepare("Download", src, dst))
	return nil
}

// Sync implements backend.Memory. Every verb is done when it returns.
func (d *Device) Sync() error {
	d.now()
	return nil
}

// Copy implements backend.Memory.
func (d *Device) Copy(dst, src backend.Tensor) {
	if r := d.recording; r != nil && dst.Kind() != backend.Index && dst.Shape()[0] == src.Shape()[0] && backend.Len(dst) == backend.Len(src) {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.Copy(t[0], t[1]) }, out(dst), in(src))
		return
	}
	d.now()
	if dst.Kind() != src.Kind() {
		d.convert(dst, src)
		return
	}
	if dst.Kind() == backend.Index {
		backend.SameShape("Copy", dst, src)
		copy(dst.(*tensor).index, src.(*tensor).index)
		return
	}
	e := d.onElements("Copy", dst, src)
	d.runElements(e, func(e *elements, lo, hi int) { copy(e.v[0][lo:hi], e.v[1][lo:hi]) })
}

// flat reports whether elements lie in NCHW order and nothing else between them.
func (t *tensor) flat() bool { return t.kind == backend.Dense || !t.geom.blocked }

// convert copies between an Image and a Dense tensor of as many elements.
func (d *Device) convert(dst, src backend.Tensor) {
	if dst.Kind() == backend.Index || src.Kind() == backend.Index || backend.Len(dst) != backend.Len(src) {
		backend.Mismatch("Copy", dst, src)
	}
	if dst.(*tensor).flat() && src.(*tensor).flat() {
		d.move(floats("Copy", dst), floats("Copy", src))
		return
	}
	if dst.Kind() == backend.Image {
		d.load(d.prepare("Copy", dst, floats("Copy", src)))
	} else {
		d.store(d.prepare("Copy", src, floats("Copy", dst)))
	}
}
