package cpu

import (
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// TestProgramsShareArenas, whose zeros around images are right for each, even if they differ in the
// images of their slices alone.
func TestProgramsShareArenas(t *testing.T) {
	d := directDevice(t, asm.Best(), 1)
	spec := backend.ConvSpec{N: 64, InC: 16, OutC: 16, H: 5, W: 7, Kernel: 3, Stride: 1, Pad: 1}
	l := newLayer(d, spec)
	want := l.newY()
	middle := l.newY()
	l.conv.Forward(middle, nil, l.tx, nil)
	l.conv.Forward(want, nil, middle, nil)
	pass := func(images int) *tensor {
		y := l.newY()
		rows := func(t backend.Tensor) backend.Tensor { return d.Rows(t, 0, images) }
		working := d.NewWorking(backend.Image, 64, 16, 5, 7)
		d.Pass(func() {
			l.conv.Forward(rows(working), nil, rows(l.tx), nil)
			l.conv.Forward(rows(y), nil, rows(working), nil)
		})
		return rows(y).(*tensor)
	}
	pass(64)
	d.poisonArenas()
	for _, images := range []int{8, 64, 20, 64} {
		if !slices.Equal(download(t, d, pass(images)), download(t, d, d.Rows(want, 0, images))) {
			t.Errorf("%d images: other bits than one by one", images)
		}
	}
}

// TestWorkingMemoryOutsideOfPasses is a tensor like any other.
func TestWorkingMemoryOutsideOfPasses(t *testing.T) {
	d := directDevice(t, asm.Best(), 2)
	const n, size = 16, 16 * 3 * 5
	values := normals(n * size)
	x, y := d.NewWorking(backend.Image, n, 16, 3, 5), d.NewWorking(backend.Image, n, 16, 3, 5)
	kept, plain := d.New(backend.Image, n, 16, 3, 5), upload(d, backend.Image, values, n, 16, 3, 5)
	d.Upload(x, values)
	d.Pass(func() {
		d.LeakyReLU(y, x, 0.5)
		d.Axpy(y, 1, x)
		d.LeakyReLU(kept, y, 0.5)
	})
	if !slices.Equal(download(t, d, x), values) {
		t.Error("a pass changed what it only read")
	}
	want := d.New(backend.Image, n, 16, 3, 5)
	d.LeakyReLU(want, plain, 0.5)
	d.Axpy(want, 1, plain)
	d.LeakyReLU(want, want, 0.5)
	if !slices.Equal(download(t, d, kept), download(t, d, want)) {
		t.Error("a pass computes with something else than what was there before")
	}
	d.Fill(y, 2)
	d.Axpy(y, -2, x)
	d.Pass(func() { d.LeakyReLU(kept, d.Rows(y, 0, n), 1) })
	for i, v := range download(t, d, kept) {
		if v != 2-2*values[i] {
			t.Fatalf("element %d is %g, want %g", i, v, 2-2*values[i])
		}
	}
	d.Free(x, y, kept, plain, want)
}

// TestViewsOfWorkingMemory show what passes write.
func TestViewsOfWorkingMemory(t *testing.T) {
	d := directDevice(t, asm.Best(), 2)
	x, w := upload(d, backend.Dense, normals(16*4), 16, 4), d.NewWorking(backend.Dense, 16, 4)
	view, kept := d.View(w, 0, 16, 4), d.New(backend.Dense, 16, 4)
	d.Pass(func() {
		d.LeakyReLU(w, x, 0.5)
		d.LeakyReLU(kept, view, 1)
	})
	want := d.New(backend.Dense, 16, 4)
	d.LeakyReLU(want, x, 0.5)
	if !slices.Equal(download(t, d, kept), download(t, d, want)) {
		t.Error("a view of working memory shows something else")
	}
}
