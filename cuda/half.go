//go:build cuda && linux && amd64

package cuda

import (
	"slices"

	"jem/backend"
	"jem/cuda/internal/driver"
)

// Images in bfloat16. Every image has memory for float32. A convolution that computes in
// bfloat16 writes its result to the first half of the destination's memory and notes that
// range on the buffer; whoever reads the range takes it as it is or has it widened. So the
// contract above knows one kind of image, and the steps of a chain hand each other bfloat16
// without a copy.

// span is a range of a buffer, in bytes of its float32 form.
type span struct{ off, end int64 }

// halves are the ranges of a buffer that hold bfloat16 at present.
type halves struct{ spans []span }

// isHalf reports whether exactly t's range is held in bfloat16.
func (t *tensor) isHalf() bool { return slices.Contains(t.buf.spans, span{t.off, t.end()}) }

// touching returns a span that t overlaps.
func (t *tensor) touching() (span, bool) {
	for _, s := range t.buf.spans {
		if t.off < s.end && s.off < t.end() {
			return s, true
		}
	}
	return span{}, false
}

// read returns the address of t in float32, for a verb that reads it or changes a part.
func (d *Device) read(op string, t *tensor) driver.Pointer {
	for {
		s, ok := t.touching()
		if !ok {
			return t.at()
		}
		d.widen(op, t.buf, s)
	}
}

// write returns the address of t in float32, for a verb that assigns all of it.
func (d *Device) write(op string, t *tensor) driver.Pointer {
	d.forget(op, t)
	return t.at()
}

// writeHalf returns the address of t in bfloat16, for a verb that assigns all of it.
func (d *Device) writeHalf(op string, t *tensor) driver.Pointer {
	if !t.isHalf() {
		d.forget(op, t)
		t.buf.spans = append(t.buf.spans, span{t.off, t.end()})
	}
	return t.at()
}

// forget makes t's range float32 before all of it is assigned: what it held is dropped, what
// its neighbours held together with it is widened.
func (d *Device) forget(op string, t *tensor) {
	for {
		s, ok := t.touching()
		if !ok {
			return
		}
		if s.off >= t.off && s.end <= t.end() {
			t.buf.drop(s)
		} else {
			d.widen(op, t.buf, s)
		}
	}
}

func (h *halves) drop(s span) {
	i := slices.Index(h.spans, s)
	h.spans = slices.Delete(h.spans, i, i+1)
}

// widen turns a span into float32 in place, by way of scratch memory.
func (d *Device) widen(op string, b *buffer, s span) {
	n := int((s.end - s.off) / word)
	from := d.reserve(op, moved, int64(n)*word/2)
	d.run(op, func() error { return d.ctx.Copy(from, b.p+driver.Pointer(s.off), int64(n)*word/2) })
	d.conversion(op, "bf16_to_f32").ptr(b.p+driver.Pointer(s.off), from).num(n, 1, 1).over(n)
	b.drop(s)
}

// as returns the address of t in the given storage for reading only: its own where it is held
// so, else that of a copy in the slot.
func (d *Device) as(op string, t *tensor, want storage, s slot) driver.Pointer {
	is := t.isHalf()
	if !is {
		d.read(op, t)
	}
	switch {
	case is && want == single:
		p := d.reserve(op, s, t.bytes())
		d.conversion(op, "bf16_to_f32").ptr(p, t.at()).num(t.n, 1, 1).over(t.n)
		return p
	case !is && want == half:
		p := d.reserve(op, s, t.bytes()/2)
		d.conversion(op, "f32_to_bf16").ptr(p, t.at()).num(t.n, 1, 1).over(t.n)
		return p
	}
	return t.at()
}

// assign is write or writeHalf.
func (d *Device) assign(op string, t *tensor, s storage) driver.Pointer {
	if s == half {
		return d.writeHalf(op, t)
	}
	return d.write(op, t)
}

// ours returns t as the device's tensor after checking that it holds floats.
func ours(op string, t backend.Tensor) *tensor {
	if t == nil || t.Kind() == backend.Index {
		backend.Mismatch(op, t)
	}
	return t.(*tensor)
}

// in returns the address of a tensor of floats that is read, or changed in part or in place.
func (d *Device) in(op string, t backend.Tensor) driver.Pointer { return d.read(op, ours(op, t)) }

// out returns the address of a tensor of floats that is assigned.
func (d *Device) out(op string, t backend.Tensor) driver.Pointer { return d.write(op, ours(op, t)) }
