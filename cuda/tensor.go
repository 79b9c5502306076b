//go:build cuda && linux && amd64

package cuda

import (
	"fmt"
	"slices"

	"jem/backend"
	"jem/cuda/internal/driver"
)

// word is the size of a float32 and of an int32.
const word = 4

// buffer is an allocation, shared by a tensor and its views.
type buffer struct {
	p     driver.Pointer
	bytes int64
	halves
}

// tensor is the device's backend.Tensor: a range of a buffer. Dense and Index tensors are
// row-major; images lie as N,H,W,C without gaps.
type tensor struct {
	kind  backend.Kind
	shape []int
	buf   *buffer
	off   int64 // bytes
	n     int   // elements
}

func (t *tensor) Kind() backend.Kind { return t.kind }
func (t *tensor) Shape() []int       { return t.shape }

func (t *tensor) bytes() int64       { return int64(t.n) * word }
func (t *tensor) at() driver.Pointer { return t.buf.p + driver.Pointer(t.off) }
func (t *tensor) end() int64         { return t.off + t.bytes() }
func (t *tensor) image() (c, hw int) { return t.shape[1], t.shape[2] * t.shape[3] }

// logical returns channels and pixels for what follows the logical (N,C,H,W) order: a dense
// tensor is one channel.
func (t *tensor) logical() (c, hw int) {
	if t.kind == backend.Image {
		return t.image()
	}
	return 1, t.n
}

// New implements backend.Memory.
func (d *Device) New(kind backend.Kind, shape ...int) backend.Tensor {
	if len(shape) == 0 || slices.Min(shape) < 1 || kind == backend.Image && len(shape) != 4 || kind == backend.Index && len(shape) != 1 {
		panic(fmt.Sprintf("backend: New: %s%v is no shape", kind, shape))
	}
	t := &tensor{kind: kind, shape: slices.Clone(shape), n: 1}
	for _, s := range shape {
		t.n *= s
	}
	t.buf = d.allocate("New", t.bytes(), t)
	d.run("New", func() error { return d.ctx.Zero(t.buf.p, t.bytes()) })
	return t
}

// allocate returns a buffer, without memory where an error sticks. t, if any, is what it is for.
func (d *Device) allocate(op string, bytes int64, t *tensor) *buffer {
	b := &buffer{bytes: bytes}
	d.run(op, func() error {
		var err error
		if b.p, err = d.ctx.Alloc(bytes); outOfMemory(err) {
			return d.shortage(bytes, t, err)
		}
		return err
	})
	if d.err == nil {
		d.buffers[b] = struct{}{}
		d.inUse += bytes
	}
	return b
}

// shortage says what was needed, what there is, and what to do.
func (d *Device) shortage(bytes int64, t *tensor, err error) error {
	const mib = 1 << 20
	free, total, _ := d.ctx.Memory()
	what, advice := "working memory", "use a smaller batch"
	if t != nil {
		what = backend.Describe(t)
		if t.kind == backend.Image && t.shape[0] > 1 {
			advice = fmt.Sprintf("use a smaller batch, say half of this one's %d images", t.shape[0])
		}
	}
	return fmt.Errorf("%s needs %.1f MiB beside the %.1f MiB in use, of %.1f MiB only %.1f are free: %s: %w",
		what, float64(bytes)/mib, float64(d.inUse)/mib, float64(total)/mib, float64(free)/mib, advice, err)
}

// Free implements backend.Memory.
func (d *Device) Free(ts ...backend.Tensor) {
	for _, t := range ts {
		d.release("Free", t.(*tensor).buf)
	}
}

func (d *Device) release(op string, b *buffer) {
	if _, ours := d.buffers[b]; !ours {
		return // freed already, or allocated after an error
	}
	d.run(op, func() error { return d.ctx.Free(b.p) })
	delete(d.buffers, b)
	d.inUse -= b.bytes
}

// Rows implements backend.Memory.
func (d *Device) Rows(t backend.Tensor, lo, hi int) backend.Tensor {
	s := t.(*tensor)
	if lo < 0 || hi <= lo || hi > s.shape[0] {
		panic(fmt.Sprintf("backend: Rows: [%d:%d] of %s", lo, hi, backend.Describe(t)))
	}
	row := s.n / s.shape[0]
	v := &tensor{kind: s.kind, shape: slices.Clone(s.shape), buf: s.buf, off: s.off + int64(lo*row)*word, n: (hi - lo) * row}
	v.shape[0] = hi - lo
	return v
}

// View implements backend.Memory.
func (d *Device) View(t backend.Tensor, offset int, shape ...int) backend.Tensor {
	s := t.(*tensor)
	v := &tensor{kind: backend.Dense, shape: slices.Clone(shape), buf: s.buf, off: s.off + int64(offset)*word}
	v.n = backend.Len(v)
	if s.kind != backend.Dense || offset < 0 || offset+v.n > s.n {
		panic(fmt.Sprintf("backend: View: %v from %d of %s", shape, offset, backend.Describe(t)))
	}
	return v
}
