package cpu

import (
	"fmt"
	"slices"
	"unsafe"

	"jem/backend"
)

// block is the number of channels that lie side by side in memory: one AVX-512
// register of float32, two of AVX2.
const block = 16

// tensor is the CPU's backend.Tensor.
//
// Dense and Index tensors are contiguous. Image tensors come in two layouts:
//
//   - planar, for fewer than 16 channels (pictures): contiguous NCHW.
//   - blocked, for feature maps: nChw16c, channels padded to a multiple of 16, with a
//     halo of zeros that neighbours share. Each row begins with one zero pixel, which is
//     also the right border of the row before; each plane (a channel block of one image)
//     begins with one zero row, which is also the lower border of the plane before. One
//     more zero row and pixel end the tensor. So a 3×3 window never leaves the memory and
//     no kernel treats borders specially. The price is (H+1)(W+1)/HW memory: 6 % at 32×32.
//
// Halo and padded channels hold zeros at all times: an operation with f(0) = 0 may run
// over the whole slice, any other must write valid pixels and channels only.
type tensor struct {
	kind  backend.Kind
	shape []int
	data  []float32 // Dense, Image
	index []int32   // Index
	geom  geometry  // Image
	bytes int       // of memory of its own; 0: a view

	// Working memory takes none until it is used outside of passes; data is nil till then.
	store *store
	first int // row of the store
}

func (t *tensor) Kind() backend.Kind { return t.kind }
func (t *tensor) Shape() []int       { return t.shape }

// geometry locates the elements of an Image tensor. Strides are in floats.
type geometry struct {
	c, h, w int
	blocked bool
	blocks  int // channel planes an image: ⌈C/16⌉ blocked, C planar
	pixel   int // from one pixel to the next: 16 blocked, 1 planar
	row     int // from one row to the next
	plane   int // from one channel block (planar: channel) to the next
	image   int // from one image to the next
	origin  int // of pixel (0,0) in its plane
	tail    int // floats after the last plane (the closing halo)
}

func newGeometry(c, h, w int) geometry {
	if c < block {
		return geometry{c: c, h: h, w: w, blocks: c, pixel: 1, row: w, plane: h * w, image: c * h * w}
	}
	g := geometry{c: c, h: h, w: w, blocked: true, blocks: (c + block - 1) / block, pixel: block, row: (w + 1) * block}
	g.plane = (h + 1) * g.row
	g.image = g.blocks * g.plane
	g.origin = g.row + block
	g.tail = g.row + block
	return g
}

// at is the offset of pixel (h,w) of channel c in its image.
func (g *geometry) at(c, h, w int) int {
	if g.blocked {
		return c/block*g.plane + g.origin + h*g.row + w*block + c%block
	}
	return c*g.plane + h*g.row + w
}

// lanes is the number of valid channels in plane b.
func (g *geometry) lanes(b int) int {
	if !g.blocked {
		return 1
	}
	return min(block, g.c-b*block)
}

// aligned returns n zeroed floats that start on a 128-byte boundary. The Go heap does not
// move objects, so the alignment stays.
func aligned(n int) []float32 {
	const lines = 128
	buf := make([]float32, n+lines/4)
	hugePages(buf)
	skip := int((lines - uintptr(unsafe.Pointer(unsafe.SliceData(buf)))%lines) % lines / 4)
	return buf[skip : skip+n : skip+n]
}

// store is the memory that a working tensor shares with its views, once one of them needs it.
type store struct {
	d    *Device
	size int // floats
	data []float32
	// viewed says that View showed parts of it, which passes must write to.
	viewed bool
}

// working reports whether passes may keep what t holds elsewhere.
func (t *tensor) working() bool {
	if t.store == nil || t.store.viewed {
		t.settle()
		return false
	}
	return true
}

// shaped is a tensor without memory, of so many floats or indices.
func shaped(kind backend.Kind, shape []int) (t *tensor, size int) {
	if len(shape) == 0 || slices.Min(shape) < 1 || kind == backend.Image && len(shape) != 4 || kind == backend.Index && len(shape) != 1 {
		panic(fmt.Sprintf("backend: New: %s%v is no shape", kind, shape))
	}
	t = &tensor{kind: kind, shape: slices.Clone(shape)}
	if kind == backend.Image {
		t.geom = newGeometry(shape[1], shape[2], shape[3])
		return t, shape[0]*t.geom.image + t.geom.tail
	}
	return t, backend.Len(t)
}

// New implements backend.Memory.
func (d *Device) New(kind backend.Kind, shape ...int) backend.Tensor {
	t, size := shaped(kind, shape)
	if kind == backend.Index {
		t.index = make([]int32, size)
	} else {
		t.data = aligned(size)
	}
	t.bytes = 4 * size
	d.meter.add(t.bytes)
	return t
}

// NewWorking implements backend.Passer.
func (d *Device) NewWorking(kind backend.Kind, shape ...int) backend.Tensor {
	if kind == backend.Index {
		return d.New(kind, shape...)
	}
	t, size := shaped(kind, shape)
	t.store = &store{d: d, size: size}
	return t
}

// settle gives working memory that is used outside of a pass its place.
func (t *tensor) settle() {
	if t == nil || t.data != nil || t.store == nil {
		return
	}
	s := t.store
	if s.data == nil {
		s.data = s.d.alloc(s.size)
	}
	lo, hi := t.first*t.perRow(), (t.first+t.shape[0])*t.perRow()+t.geom.tail
	t.data = s.data[lo:hi:hi]
}

// perRow is the distance of two rows (images) in memory, in floats.
func (t *tensor) perRow() int {
	if t.kind == backend.Image {
		return t.geom.image
	}
	return backend.Len(t) / t.shape[0]
}

// perImage is the number of elements of an image (a row).
func (t *tensor) perImage() int { return backend.Len(t) / t.shape[0] }

// overlaps reports whether two tensors share memory.
func (t *tensor) overlaps(u *tensor) bool {
	switch {
	case t.working() || u.working():
		return t.store == u.store && t.first < u.first+u.shape[0] && u.first < t.first+t.shape[0]
	case t.kind == backend.Index || u.kind == backend.Index:
		return t.kind == u.kind && len(t.index) > 0 && len(u.index) > 0 && within(unsafe.Pointer(&t.index[0]), len(t.index), unsafe.Pointer(&u.index[0]), len(u.index))
	}
	return len(t.data) > 0 && len(u.data) > 0 && within(unsafe.Pointer(&t.data[0]), len(t.data)-t.geom.tail, unsafe.Pointer(&u.data[0]), len(u.data)-u.geom.tail)
}

// within reports whether m numbers of 4 bytes at a and n at b overlap.
func within(a unsafe.Pointer, m int, b unsafe.Pointer, n int) bool {
	return uintptr(a) < uintptr(b)+4*uintptr(n) && uintptr(b) < uintptr(a)+4*uintptr(m)
}

// Free implements backend.Memory. The collector reclaims the memory; Free only makes
// later use of the tensor a visible mistake.
func (d *Device) Free(ts ...backend.Tensor) {
	for _, t := range ts {
		t := t.(*tensor)
		d.meter.add(-t.bytes)
		if t.store != nil {
			d.meter.add(-4 * len(t.store.data))
			t.store.data = nil
		}
		t.data, t.index, t.store, t.bytes = nil, nil, nil, 0
	}
}

// Rows implements backend.Memory.
func (d *Device) Rows(t backend.Tensor, lo, hi int) backend.Tensor {
	s := t.(*tensor)
	if lo < 0 || hi <= lo || hi > s.shape[0] {
		panic(fmt.Sprintf("backend: Rows: [%d:%d] of %s", lo, hi, backend.Describe(t)))
	}
	v := &tensor{kind: s.kind, shape: slices.Clone(s.shape), geom: s.geom}
	v.shape[0] = hi - lo
	if s.store != nil {
		v.store, v.first = s.store, s.first+lo
		return v
	}
	switch s.kind {
	case backend.Index:
		v.index = s.index[lo:hi:hi]
	case backend.Image:
		end := hi*s.geom.image + s.geom.tail
		v.data = s.data[lo*s.geom.image : end : end]
	default:
		d := backend.Len(s) / s.shape[0]
		v.data = s.data[lo*d : hi*d : hi*d]
	}
	return v
}

// View implements backend.Memory.
func (d *Device) View(t backend.Tensor, offset int, shape ...int) backend.Tensor {
	s := t.(*tensor)
	s.settle()
	if s.store != nil {
		s.store.viewed = true
	}
	v := &tensor{kind: backend.Dense, shape: slices.Clone(shape)}
	end := offset + backend.Len(v)
	if s.kind != backend.Dense || offset < 0 || end > len(s.data) {
		panic(fmt.Sprintf("backend: View: %v from %d of %s", shape, offset, backend.Describe(t)))
	}
	v.data = s.data[offset:end:end]
	return v
}
