//go:build cuda && linux && amd64

package cuda

import (
	"math"

	"jem/backend"
	"jem/cuda/internal/driver"
)

// Upload implements backend.Memory.
func (d *Device) Upload(dst backend.Tensor, src []float32) {
	const op = "Upload"
	t := ours(op, dst)
	if len(src) != t.n {
		backend.Mismatch(op, dst)
	}
	to := d.write(op, t)
	if t.kind == backend.Dense {
		d.send(op, to, bytesOf(src))
		return
	}
	from := d.reserve(op, moved, t.bytes())
	d.send(op, from, bytesOf(src))
	d.toImage(op, t, to, from, 0, 0, t.shape[0])
}

func (d *Device) send(op string, dst driver.Pointer, src []byte) {
	d.run(op, func() error { return d.stage.send(d.ctx, dst, src) })
}

// toImage turns n contiguous NCHW rows at from into images at to, through row numbers if given.
func (d *Device) toImage(op string, t *tensor, to, from, dstRows, srcRows driver.Pointer, n int) {
	c, hw := t.image()
	d.kernel(op, "to_nhwc", single).ptr(to, from, dstRows, srcRows).num(n, c, hw, c).over(n, hw*c)
}

// fromImage is the inverse of toImage.
func (d *Device) fromImage(op string, t *tensor, to, from, dstRows, srcRows driver.Pointer, n int) {
	c, hw := t.image()
	d.kernel(op, "to_nchw", single).ptr(to, from, dstRows, srcRows).num(n, c, hw, c, 0).over(n, hw*c)
}

// UploadRows implements backend.Memory.
func (d *Device) UploadRows(dst backend.Tensor, rows []int, src []float32) {
	const op = "UploadRows"
	t := ours(op, dst)
	row := t.n / t.shape[0]
	if len(src) != row*len(rows) {
		backend.Mismatch(op, dst)
	}
	for _, r := range rows {
		if r < 0 || r >= t.shape[0] {
			backend.Mismatch(op, dst)
		}
	}
	if len(rows) == 0 {
		return
	}
	to := d.read(op, t)
	if t.kind == backend.Image {
		from := d.reserve(op, moved, int64(len(src))*word)
		d.send(op, from, bytesOf(src))
		for i, r := range rows {
			at := int64(row) * word
			d.toImage(op, t, to+driver.Pointer(int64(r)*at), from+driver.Pointer(int64(i)*at), 0, 0, 1)
		}
		return
	}
	for len(rows) > 0 { // rows that follow each other in one go
		n := 1
		for n < len(rows) && rows[n] == rows[0]+n {
			n++
		}
		d.send(op, to+driver.Pointer(rows[0]*row*word), bytesOf(src[:n*row]))
		rows, src = rows[n:], src[n*row:]
	}
}

// UploadIndex implements backend.Memory.
func (d *Device) UploadIndex(dst backend.Tensor, src []int32) {
	if dst == nil || dst.Kind() != backend.Index || len(src) != backend.Len(dst) {
		backend.Mismatch("UploadIndex", dst)
	}
	d.send("UploadIndex", dst.(*tensor).at(), bytesOf(src))
}

// Download implements backend.Memory.
func (d *Device) Download(dst []float32, src backend.Tensor) error {
	const op = "Download"
	t := ours(op, src)
	if len(dst) != t.n {
		backend.Mismatch(op, src)
	}
	from := d.read(op, t)
	if t.kind == backend.Image {
		rows := d.reserve(op, moved, t.bytes())
		d.fromImage(op, t, rows, from, 0, 0, t.shape[0])
		from = rows
	}
	d.run(op, func() error { return d.stage.fetch(d.ctx, bytesOf(dst), from) })
	return d.err
}

// Address implements backend.Addresser.
func (d *Device) Address(t backend.Tensor) (stream, address uintptr, err error) {
	const op = "Address"
	own := ours(op, t)
	if !d.opt.Shared || own.kind != backend.Dense {
		backend.Mismatch(op, t)
	}
	at := d.read(op, own)
	if d.err != nil || d.ctx == nil {
		return 0, 0, d.err
	}
	return uintptr(d.ctx.Stream()), uintptr(at), nil
}

// Addressable implements backend.Addresser.
func (d *Device) Addressable() bool { return d.opt.Shared }

// Sync implements backend.Memory.
func (d *Device) Sync() error {
	d.run("Sync", d.ctx.Sync)
	return d.err
}

// Copy implements backend.Memory.
func (d *Device) Copy(dst, src backend.Tensor) {
	const op = "Copy"
	if dst == nil || src == nil || (dst.Kind() == backend.Index) != (src.Kind() == backend.Index) || backend.Len(dst) != backend.Len(src) {
		backend.Mismatch(op, dst, src)
	}
	if dst.Kind() == src.Kind() {
		backend.SameShape(op, dst, src)
		d.copySame(op, dst.(*tensor), src.(*tensor))
		return
	}
	if dst.Kind() == backend.Image {
		t := dst.(*tensor)
		d.toImage(op, t, d.write(op, t), d.in(op, src), 0, 0, t.shape[0])
		return
	}
	t := src.(*tensor)
	d.fromImage(op, t, d.out(op, dst), d.read(op, t), 0, 0, t.shape[0])
}

func (d *Device) copySame(op string, dst, src *tensor) {
	if dst.buf == src.buf && dst.off == src.off {
		return
	}
	from := d.read(op, src)
	to := d.write(op, dst)
	d.run(op, func() error { return d.ctx.Copy(to, from, src.bytes()) })
}

// Fill implements backend.Memory.
func (d *Device) Fill(dst backend.Tensor, v float32) {
	const op = "Fill"
	t := ours(op, dst)
	to := d.write(op, t)
	if math.Float32bits(v) == 0 {
		d.run(op, func() error { return d.ctx.Zero(to, t.bytes()) })
		return
	}
	d.kernel(op, "fill", single).ptr(to).num(t.n).float(v).over(t.n)
}
