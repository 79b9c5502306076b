//go:build cuda && linux && amd64

package control_test

import (
	"slices"
	"testing"
	"unsafe"

	"jem/cuda/internal/driver"
	"jem/cuda/sim/control"
	"jem/kernels"
)

// rig is a context with the kernels loaded. What it does wrong ends the test.
type rig struct {
	*testing.T
	ctx    *driver.Context
	module driver.Module
	table  map[string]kernels.Kernel
	memory []driver.Pointer
	broken bool // an error of the device is expected to stick
}

func newRig(t *testing.T) *rig {
	t.Helper()
	ctx, err := driver.Open(0, false)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, ctx: ctx, table: map[string]kernels.Kernel{}}
	for _, k := range kernels.All() {
		r.table[k.Name] = k
	}
	images, err := kernels.Images()
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range images {
		if err = r.try(func() error { r.module, err = ctx.Load(image.Data); return err }); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, p := range r.memory {
			r.try(func() error { return ctx.Free(p) })
		}
		if err := ctx.Close(); err != nil && !r.broken {
			t.Error(err)
		}
	})
	return r
}

// fault waits, and returns the code of the error that comes of it.
func (r *rig) fault() int {
	r.broken = true
	return code(r.try(r.ctx.Sync))
}

// strict is a rig on the stand-in; on a card there is nothing to ask.
func strict(t *testing.T) *rig {
	t.Helper()
	if !control.Present() {
		t.Skip("the driver is not the stand-in")
	}
	return newRig(t)
}

func (r *rig) try(f func() error) error { return r.ctx.Do(f) }

func (r *rig) do(f func() error) {
	r.Helper()
	if err := r.try(f); err != nil {
		r.Fatal(err)
	}
}

// empty allocates memory for n values of a type, for the test's time.
func empty[T any](r *rig, n int) driver.Pointer {
	r.Helper()
	var p driver.Pointer
	var zero T
	r.do(func() (err error) { p, err = r.ctx.Alloc(int64(n) * int64(unsafe.Sizeof(zero))); return })
	r.memory = append(r.memory, p)
	return p
}

// put allocates memory for values and copies them there.
func put[T any](r *rig, v ...T) driver.Pointer {
	r.Helper()
	p := empty[T](r, len(v))
	write(r, p, v...)
	return p
}

func write[T any](r *rig, p driver.Pointer, v ...T) {
	r.Helper()
	bytes := int64(len(v)) * int64(unsafe.Sizeof(v[0]))
	r.do(func() error {
		host, err := r.ctx.AllocHost(bytes)
		if err != nil {
			return err
		}
		copy(unsafe.Slice((*T)(host), len(v)), v)
		if err := r.ctx.CopyIn(p, host, bytes); err != nil {
			return err
		}
		if err := r.ctx.Sync(); err != nil {
			return err
		}
		return r.ctx.FreeHost(host)
	})
}

// get waits and reads n values.
func get[T any](r *rig, p driver.Pointer, n int) []T {
	r.Helper()
	v, err := fetch[T](r, p, n)
	if err != nil {
		r.Fatal(err)
	}
	return v
}

func fetch[T any](r *rig, p driver.Pointer, n int) (v []T, err error) {
	var zero T
	bytes := int64(n) * int64(unsafe.Sizeof(zero))
	err = r.try(func() error {
		host, err := r.ctx.AllocHost(bytes)
		if err != nil {
			return err
		}
		if err := r.ctx.CopyOut(host, p, bytes); err != nil {
			return err
		}
		if err := r.ctx.Sync(); err != nil {
			return err
		}
		v = slices.Clone(unsafe.Slice((*T)(host), n))
		return r.ctx.FreeHost(host)
	})
	return v, err
}

// launch puts a kernel on the stream.
func (r *rig) launch(name string, sizes []int, args ...any) {
	r.Helper()
	k, ok := r.table[name]
	if !ok {
		r.Fatalf("no kernel %s", name)
	}
	for i, a := range args {
		if p, ok := a.(driver.Pointer); ok {
			args[i] = uintptr(p)
		}
	}
	g := k.Rule.Launch(sizes...)
	r.start(name, g.Grid, g.Block, k.Pack(nil, args...))
}

// start launches with any geometry and arguments.
func (r *rig) start(name string, grid, block [3]uint32, words []uint64) {
	r.Helper()
	r.do(func() error {
		f, err := r.module.Kernel(name)
		if err != nil {
			return err
		}
		return r.ctx.Launch(f, grid, block, words)
	})
}
