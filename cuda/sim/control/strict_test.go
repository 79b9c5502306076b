//go:build cuda && linux && amd64

package control_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"unsafe"

	"jem/cuda/internal/driver"
	"jem/cuda/sim/control"
	"jem/kernels"
)

// TestKernelsAreListed: the stand-in was compiled from what the table lists, with the same types.
func TestKernelsAreListed(t *testing.T) {
	if !control.Present() {
		t.Skip("the driver is not the stand-in")
	}
	have := control.Kernels()
	for _, k := range kernels.All() {
		if got, want := have[k.Name], types(k); got != want {
			t.Errorf("%s takes %q, the table says %q", k.Name, got, want)
		}
		delete(have, k.Name)
	}
	for name := range have {
		if !strings.HasPrefix(name, "faulty_") && name != "halves_shuffle" {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// types lists a kernel's argument types as the stand-in does.
func types(k kernels.Kernel) string {
	scalar := map[kernels.Type]string{kernels.I32: "i32", kernels.I64: "i64", kernels.U32: "u32", kernels.U64: "u64", kernels.F32: "f32"}
	var all []string
	for _, a := range k.Args {
		switch {
		case a.Type != kernels.Pointer:
			all = append(all, scalar[a.Type])
		case a.Writes:
			all = append(all, "out "+a.Elem)
		default:
			all = append(all, "in "+a.Elem)
		}
	}
	return strings.Join(all, ", ")
}

// code is the driver's code in an error, 0 for none.
func code(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// TestFaultyKernels: each mistake becomes an error of the next wait, and sticks. Which of an illegal
// address and a failed launch it is may depend on the order of threads.
func TestFaultyKernels(t *testing.T) {
	for _, name := range []string{"faulty_no_barrier", "faulty_early_reuse", "faulty_divergent_barrier", "faulty_divergent_shuffle",
		"faulty_same_place", "faulty_across_blocks", "faulty_unwritten_shared", "faulty_shared_range"} {
		t.Run(name, func(t *testing.T) {
			r := strict(t)
			r.start(name, [3]uint32{2, 1, 1}, [3]uint32{64, 1, 1}, []uint64{uint64(empty[float32](r, 64))})
			got := r.fault()
			if got != 700 && got != 719 {
				t.Errorf("code %d, want 700 or 719", got)
			}
			if again := r.fault(); again != got {
				t.Errorf("afterwards: code %d, want %d", again, got)
			}
		})
	}
}

// TestHalvesShuffle: parts of a warp may shuffle apart from each other.
func TestHalvesShuffle(t *testing.T) {
	r := strict(t)
	y := empty[float32](r, 32)
	r.start("halves_shuffle", [3]uint32{1, 1, 1}, [3]uint32{32, 1, 1}, []uint64{uint64(y)})
	for i, v := range get[float32](r, y, 32) {
		want := float32(120) // 0 + 1 + … + 15
		if i >= 16 {
			want = float32(4*(i/4*4) + 6)
		}
		if v != want {
			t.Errorf("lane %d: %v, want %v", i, v, want)
		}
	}
}

// TestMemoryFaults: accesses that a card may let pass.
func TestMemoryFaults(t *testing.T) {
	axpy := func(r *rig, y, x uintptr, n int) error {
		r.launch("axpy_f32", []int{n}, y, x, n, float32(1))
		return r.try(r.ctx.Sync)
	}
	for name, do := range map[string]func(r *rig) error{
		"read of unwritten memory": func(r *rig) error {
			return axpy(r, uintptr(put[float32](r, 1, 2, 3, 4, 5, 6, 7, 8)), uintptr(empty[float32](r, 8)), 8)
		},
		"read beyond an allocation": func(r *rig) error {
			return axpy(r, uintptr(put[float32](r, 1, 2, 3, 4, 5)), uintptr(put[float32](r, 1, 2, 3, 4)), 5)
		},
		"write beyond an allocation": func(r *rig) error {
			r.launch("fill_f32", []int{5}, empty[float32](r, 4), 5, float32(1))
			return r.try(r.ctx.Sync)
		},
		"use after free": func(r *rig) error {
			x := put[float32](r, 1, 2, 3, 4)
			r.memory = r.memory[:len(r.memory)-1]
			r.do(func() error { return r.ctx.Free(x) })
			return axpy(r, uintptr(put[float32](r, 1, 2, 3, 4)), uintptr(x), 4)
		},
		"misaligned": func(r *rig) error {
			return axpy(r, uintptr(put[float32](r, 1, 2, 3, 4)), uintptr(put[float32](r, 1, 2, 3, 4, 5))+2, 4)
		},
		"copy of unwritten memory": func(r *rig) error {
			_, err := fetch[float32](r, empty[float32](r, 4), 4)
			return err
		},
		"copy beyond an allocation": func(r *rig) error {
			_, err := fetch[float32](r, put[float32](r, 1, 2), 3)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := strict(t)
			r.broken = true
			if err := do(r); code(err) != 700 && code(err) != 716 {
				t.Errorf("got %v, want an illegal address", err)
			}
		})
	}
}

// TestWorkIsLate: what was not waited for has not happened, and shows.
func TestWorkIsLate(t *testing.T) {
	r := strict(t)
	r.broken = true
	x := put[float32](r, 1, 2)
	r.do(func() error {
		host, err := r.ctx.AllocHost(8)
		if err != nil {
			return err
		}
		v := unsafe.Slice((*float32)(host), 2)
		v[0], v[1] = 5, 6
		if err := r.ctx.CopyOut(host, x, 8); err != nil {
			return err
		}
		if !math.IsNaN(float64(v[0])) {
			t.Errorf("before the wait the copy reads %v", v)
		}
		if err := r.ctx.Sync(); err != nil {
			return err
		}
		if v[0] != 1 || v[1] != 2 {
			t.Errorf("after the wait the copy reads %v", v)
		}
		v[0] = 3
		if err := r.ctx.CopyIn(x, host, 8); err != nil {
			return err
		}
		v[0] = 4
		if err := r.ctx.Sync(); code(err) != 700 {
			t.Errorf("a source changed before its copy: %v", err)
		}
		return nil
	})
}

// TestPageableCopy: host memory that is not pinned is refused for copies that come late.
func TestPageableCopy(t *testing.T) {
	r := strict(t)
	x := empty[float32](r, 4)
	v := make([]float32, 4)
	if err := r.try(func() error { return r.ctx.CopyIn(x, unsafe.Pointer(&v[0]), 16) }); code(err) != 1 {
		t.Errorf("got %v, want an invalid value", err)
	}
}

// TestWrongThread: the context belongs to its thread.
func TestWrongThread(t *testing.T) {
	r := strict(t)
	if err := r.ctx.Sync(); code(err) != 201 {
		t.Errorf("got %v, want an invalid context", err)
	}
}

// TestCaptureForbids: a graph takes neither waits nor allocations.
func TestCaptureForbids(t *testing.T) {
	for name, call := range map[string]func(c *driver.Context) error{
		"wait":  func(c *driver.Context) error { return c.Sync() },
		"alloc": func(c *driver.Context) error { _, err := c.Alloc(4); return err },
	} {
		t.Run(name, func(t *testing.T) {
			r := strict(t)
			r.do(r.ctx.BeginCapture)
			if err := r.try(func() error { return call(r.ctx) }); code(err) != 900 {
				t.Errorf("got %v, want capture unsupported", err)
			}
			if err := r.try(func() error { _, err := r.ctx.EndCapture(); return err }); code(err) != 901 {
				t.Errorf("end of the capture: %v, want capture invalidated", err)
			}
		})
	}
}

// TestOrderedFailure: the n-th call fails once; a device's error sticks.
func TestOrderedFailure(t *testing.T) {
	r := strict(t)
	r.broken = true
	alloc := func() error {
		return r.try(func() error {
			p, err := r.ctx.Alloc(4)
			if err == nil {
				r.memory = append(r.memory, p)
			}
			return err
		})
	}
	control.Fail("cuMemAlloc_v2", 2, 2)
	if err := alloc(); err != nil {
		t.Errorf("first call: %v", err)
	}
	if err := alloc(); code(err) != 2 {
		t.Errorf("second call: %v, want out of memory", err)
	}
	if err := alloc(); err != nil {
		t.Errorf("third call: %v", err)
	}
	control.Fail("*", 1, 719)
	if err := alloc(); code(err) != 719 {
		t.Errorf("any call: %v, want launch failed", err)
	}
	if err := alloc(); code(err) != 719 {
		t.Errorf("the call after it: %v, want launch failed", err)
	}
}

// TestCounts counts what a launch, a copy and an allocation leave.
func TestCounts(t *testing.T) {
	r := strict(t)
	control.Reset()
	x := put[float32](r, 1, 2, 3)
	r.launch("fill_f32", []int{3}, x, 3, float32(2))
	get[float32](r, x, 3)
	for name, want := range map[string]int64{"launches": 1, "kernel:fill_f32": 1, "host_copies": 2, "allocations": 1,
		"synchronisations": 2, "cuLaunchKernel": 1, "faults": 0} {
		if got := control.Count(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// TestOutOfMemory: more than the card has.
func TestOutOfMemory(t *testing.T) {
	r := strict(t)
	_, total, err := int64(0), int64(0), error(nil)
	r.do(func() error { _, total, err = r.ctx.Memory(); return err })
	if err := r.try(func() error { _, err := r.ctx.Alloc(total + 1); return err }); code(err) != 2 {
		t.Errorf("got %v, want out of memory", err)
	}
}
