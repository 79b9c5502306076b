package cpu

import (
	"unsafe"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// Linear implements backend.Head.
func (d *Device) Linear(y, x, w, b backend.Tensor) {
	n, inputs, outs := linearShape("Linear", x, y, w, b)
	of := matrixOf{optional(w).identity(), true}
	if r := d.recording; r != nil {
		p := r.product(d, of, optional(w), optional(b), inputs, outs)
		r.add(apart, func(d *Device, t []backend.Tensor) {
			p.run(d, floats("Linear", t[0]), floats("Linear", t[1]), t[0].Shape()[0])
		}, out(y), in(x), shared(w), shared(b)).by = p
		return
	}
	d.direct.set(d, of, optional(w), optional(b), inputs, outs)
	d.direct.ready()
	d.direct.run(d, floats("Linear", y), floats("Linear", x), n)
}

// LinearInputGrad implements backend.Head.
func (d *Device) LinearInputGrad(dx, dy, w backend.Tensor) {
	n, inputs, outs := linearShape("LinearInputGrad", dx, dy, w, nil)
	of := matrixOf{optional(w).identity(), false}
	if r := d.recording; r != nil {
		p := r.product(d, of, optional(w), nil, outs, inputs)
		r.add(apart, func(d *Device, t []backend.Tensor) {
			p.run(d, floats("LinearInputGrad", t[0]), floats("LinearInputGrad", t[1]), t[0].Shape()[0])
		}, out(dx), in(dy), shared(w)).by = p
		return
	}
	d.direct.set(d, of, optional(w), nil, outs, inputs)
	d.direct.ready()
	d.direct.run(d, floats("LinearInputGrad", dx), floats("LinearInputGrad", dy), n)
}

// matrixOf names a product: the weights, and whether they are taken transposed.
type matrixOf struct {
	w          identity
	transposed bool
}

// matrix is y = x·m + b for rows x (in) and y (out): a linear layer with m = wᵀ, its input gradient with m = w.
// The kernels are those of a convolution's sweep, with rows for pixels, so m lies as they take it: for each group of
// outputs in rows of as many lanes. A sum's order is that of the inputs, whatever else is computed beside it.
type matrix struct {
	d       *Device
	kernels *asm.Conv
	of      matrixOf
	w, b    *tensor // b is nil without bias
	in, out int
	packed  []float32 // [group][in][lane]
	bias    []float32 // [lane], zeros where there is none
}

// product returns that of a recording's weights, which all calls share.
func (r *recording) product(d *Device, of matrixOf, w, b *tensor, in, out int) *matrix {
	p, ok := r.products[of]
	if !ok || p.b != b && !(p.b != nil && b != nil && p.b.identity() == b.identity()) {
		p = &matrix{}
		p.set(d, of, w, b, in, out)
		if r.products == nil {
			r.products = map[matrixOf]*matrix{}
		}
		r.products[of] = p
	}
	return p
}

// set makes p the product of some weights, in the memory that it has.
func (p *matrix) set(d *Device, of matrixOf, w, b *tensor, in, out int) {
	lanes := roundUp(out, block)
	*p = matrix{
		d: d, kernels: asm.ConvFor(d.isa), of: of, w: w, b: b, in: in, out: out,
		packed: grown(p.packed, in*lanes), bias: grown(p.bias, lanes),
	}
}

// grown is zeroed memory of n floats, that of v if it is large enough.
func grown(v []float32, n int) []float32 {
	if cap(v) < n {
		return aligned(n)
	}
	clear(v[:n])
	return v[:n]
}

// groups is the number of groups of outputs, group the first output of one and its lanes.
func (p *matrix) groups() int { return share(p.out, p.kernels.Blocks*block) }

func (p *matrix) group(g int) (first, lanes int) {
	first = g * p.kernels.Blocks * block
	return first, min(p.kernels.Blocks*block, len(p.bias)-first)
}

// ready implements weighed. Weights of linear layers belong to no plan that could tell that they have changed, so
// they are packed for each run of a pass or a chain, and for each call outside of these.
func (p *matrix) ready() {
	p.w.settle()
	if p.b != nil {
		p.b.settle()
		copy(p.bias, p.b.data)
	}
	if !p.dots() {
		p.d.workers.run(p.groups(), (*matrixPacking)(p))
	}
}

// matrixPacking is the region that packs a product's matrix; part i is one group. Lanes beyond the outputs keep
// their zeros.
type matrixPacking matrix

// part implements region.
func (k *matrixPacking) part(i, _ int) {
	p := (*matrix)(k)
	first, lanes := p.group(i)
	dst, valid := p.packed[first*p.in:][:lanes*p.in], min(lanes, p.out-first)
	if !p.of.transposed {
		for i := range p.in {
			copy(dst[i*lanes:][:valid], p.w.data[i*p.out+first:])
		}
		return
	}
	for l := range valid {
		for i, v := range p.w.data[(first+l)*p.in:][:p.in] {
			dst[i*lanes+l] = v
		}
	}
}

// dots reports whether each output is a product of two rows by itself: of outputs that don't fill a block that is as
// fast, and its sums, of many parts, are closer.
func (p *matrix) dots() bool { return p.of.transposed && p.out < block }

func (r *rowwise) dots(n int) {
	x := r.a[n*r.in:][:r.in]
	for k := range r.outs {
		r.dst[n*r.outs+k] = r.k.Dot(x, r.b[k*r.in:][:r.in]) + r.c[k]
	}
}

// run computes some rows. Weights are ready.
func (p *matrix) run(d *Device, y, x []float32, rows int) {
	if p.dots() {
		d.runRows(rows, rowwise{op: (*rowwise).dots, dst: y, a: x, b: p.w.data, c: p.bias, in: p.in, outs: p.out})
		return
	}
	r := &d.rows
	r.p, r.y, r.x, r.rows = p, y, x, rows
	r.step = rows
	if d.workers.n > 1 {
		r.step = min(max(roundUp(share(rows, 4*d.workers.n), tailRows), tailRows), 8*tailRows)
	}
	for len(r.kernels) < d.workers.self+d.workers.n {
		r.kernels = append(r.kernels, rowKernel{})
	}
	d.workers.run(share(rows, r.step), r)
	r.p, r.y, r.x = nil, nil, nil
}

// multiplying is the region of a product: part i is step rows.
type multiplying struct {
	p          *matrix
	y, x       []float32
	rows, step int
	kernels    []rowKernel // by worker
}

// tailRows is how many rows at a time are computed beside their place.
const tailRows = 16

// rowKernel is what a worker needs for a product.
type rowKernel struct {
	tile asm.ConvTile
	tail [tailRows * 2 * block]float32 // rows of a group that has more lanes than there are outputs
	_    [128]byte
}

// onlyOffset is where a row's numbers begin.
var onlyOffset = [1]int{0}

// part implements region.
func (m *multiplying) part(i, worker int) {
	p, lo, hi := m.p, i*m.step, min((i+1)*m.step, m.rows)
	k := &m.kernels[worker]
	t := &k.tile
	for g := range p.groups() {
		first, lanes := p.group(g)
		*t = asm.ConvTile{
			X: unsafe.Pointer(&m.x[lo*p.in]), XPixel: 4 * p.in, Inner: p.in, Offs: unsafe.Pointer(&onlyOffset), NumOffs: 1,
			W: unsafe.Pointer(&p.packed[first*p.in]), Bias: unsafe.Pointer(&p.bias[first]), Plane: 4 * block,
		}
		if first+lanes > p.out {
			m.last(k, span{lo, hi}, first, lanes)
			continue
		}
		t.Raw, t.Pixel = unsafe.Pointer(&m.y[lo*p.out+first]), 4*p.out
		p.kernels.Row(t, lanes/block, hi-lo)
	}
	*t = asm.ConvTile{}
}

// last computes the group with lanes beyond the outputs.
func (m *multiplying) last(k *rowKernel, rows span, first, lanes int) {
	t, p := &k.tile, m.p
	t.Pixel = 4 * lanes
	for row := rows.lo; row < rows.hi; row += tailRows {
		n := min(tailRows, rows.hi-row)
		t.X, t.Raw = unsafe.Pointer(&m.x[row*p.in]), unsafe.Pointer(&k.tail[0])
		p.kernels.Row(t, lanes/block, n)
		for i := range n {
			copy(m.y[(row+i)*p.out+first:][:p.out-first], k.tail[i*lanes:])
		}
	}
}
