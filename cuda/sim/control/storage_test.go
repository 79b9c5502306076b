//go:build cuda && linux && amd64

package control_test

import (
	"math"
	"testing"

	"jem/backend/philox"
	"jem/cuda/internal/driver"
)

// round is a float32 as bfloat16: to nearest, ties to even; the definition, by comparison of the
// two neighbours.
func round(v float32) uint16 {
	b := math.Float32bits(v)
	down := uint16(b >> 16)
	if v != v {
		return down | 0x40
	}
	switch rest := b & 0xffff; {
	case rest > 0x8000, rest == 0x8000 && down&1 == 1:
		return down + 1
	}
	return down
}

func widen(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// numbers are reproducible values in [−1,1) that bfloat16 holds exactly.
func numbers(step, n int) []float32 {
	v := make([]float32, n)
	philox.New(7, 0, philox.Test).At(step, 0).FillUniform(v, -1, 1)
	for i := range v {
		v[i] = widen(round(v[i]))
	}
	return v
}

func narrow(v []float32) []uint16 {
	b := make([]uint16, len(v))
	for i := range v {
		b[i] = round(v[i])
	}
	return b
}

// TestConversions: rounding, with ties, carries into the exponent, infinity and NaN; channels that
// pad are 0 and are left out on the way back.
func TestConversions(t *testing.T) {
	r := newRig(t)
	v := append(numbers(1, 30), 0, 1+1.0/256, 1+3.0/256, -1-1.0/256, math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(-1)), nan, 0.3)
	for i := range v[:30] {
		v[i] *= 1 + 1.0/512
	}
	for _, s := range [][3]int{{len(v), 1, 1}, {len(v), 1, 2}, {len(v) / 3, 3, 4}, {len(v) / 3, 3, 8}, {len(v) / 13, 13, 13}} {
		pixels, c, cs := s[0], s[1], s[2]
		dst, back := empty[uint16](r, pixels*cs), empty[float32](r, pixels*c)
		r.launch("f32_to_bf16", []int{pixels * cs}, dst, put(r, v...), pixels, c, cs)
		r.launch("bf16_to_f32", []int{pixels * c}, back, dst, pixels, c, cs)
		half, wide := get[uint16](r, dst, pixels*cs), get[float32](r, back, pixels*c)
		for i, got := range half {
			want := uint16(0)
			if i%cs < c {
				want = round(v[i/cs*c+i%cs])
				same(t, "back", wide[i/cs*c+i%cs:], []float32{widen(want)})
			}
			if got != want {
				t.Errorf("%v: element %d: got %#x, want %#x", s, i, got, want)
			}
		}
	}
}

// TestStorages: on numbers that both hold, a bfloat16 kernel gives the rounded result of its
// float32 twin; sums, which are float32, give the same.
func TestStorages(t *testing.T) {
	const n, c, hw = 3, 5, 7
	const size = n * c * hw
	r := newRig(t)
	type operand struct {
		stored bool // as bfloat16 in the one, float32 in the other
		v      []float32
	}
	image := func(step int) operand { return operand{true, numbers(step, size)} }
	dense := func(step, k int) operand { return operand{false, numbers(step, k)} }
	none := func(k int) operand { return operand{false, make([]float32, k)} }
	slope, key := float32(0.25), []any{uint64(9), uint32(2), uint32(3), uint64(1<<32 - 2), uintptr(0)}
	random := func(args ...any) []any { return append(args, key...) }
	for _, k := range []struct {
		name  string
		sizes []int
		out   int // index among args of what to compare
		args  []any
	}{
		{"fill", []int{size}, 0, []any{image(0), size, float32(0.3)}},
		{"leaky_relu", []int{size}, 0, []any{image(0), image(1), size, slope}},
		{"leaky_relu_grad", []int{size}, 0, []any{image(0), image(1), image(2), size, slope}},
		{"axpy", []int{size}, 0, []any{image(0), image(1), size, float32(0.3)}},
		{"lerp", []int{size}, 0, []any{image(0), image(1), size, float32(0.3)}},
		{"clamp", []int{size}, 0, []any{image(0), size, float32(-0.25), float32(0.5)}},
		{"conv_forward_tail", []int{size}, 0, []any{image(0), image(1), image(2), dense(3, c), image(4), n * hw, c, slope}},
		{"conv_forward_tail", []int{size}, 1, []any{image(0), image(1), image(2), dense(3, c), image(4), n * hw, c, slope}},
		{"conv_forward_tail", []int{size}, 1, []any{uintptr(0), image(1), image(2), uintptr(0), uintptr(0), n * hw, c, slope}},
		{"conv_input_grad_tail", []int{size}, 0, []any{image(0), image(1), image(2), image(3), size, slope}},
		{"conv_input_grad_tail", []int{size}, 0, []any{image(0), image(1), uintptr(0), image(3), size, slope}},
		{"bias_grad_parts", []int{n * hw, c}, 0, []any{none(c), image(1), n * hw, c}},
		{"to_nhwc", []int{n, hw * c}, 0, []any{image(0), dense(1, size), uintptr(0), uintptr(0), n, c, hw, c}},
		{"to_nchw", []int{n, hw * c}, 0, []any{dense(0, size), image(1), uintptr(0), uintptr(0), n, c, hw, c, 1}},
		{"avg_pool", []int{n, c}, 0, []any{none(n * c), image(1), n, c, hw}},
		{"avg_pool_grad", []int{size}, 0, []any{image(0), dense(1, n*c), image(2), n, c, hw, slope}},
		{"max_pool", []int{n * 7 * c}, 0, []any{image(0), image(1), n, c, 1, hw, 3, 1, 1}},
		{"mean_pool", []int{n * 7 * c}, 0, []any{image(0), image(1), n, c, 1, hw, 3, 1, 1}},
		{"row_norm", []int{n}, 0, []any{none(n), image(1), n, c * hw}},
		{"sum_squares_parts", []int{size}, 0, []any{none(1), image(1), size}},
		{"sign_step", []int{size}, 0, []any{dense(0, size), image(1), size, float32(0.3)}},
		{"unit_step", []int{n}, 0, []any{dense(0, size), image(1), n, c * hw, float32(0.3)}},
		{"uniform", []int{size, c, hw}, 0, random(image(0), size, c, hw, float32(-1), float32(2))},
		{"normal", []int{size, c, hw}, 0, random(image(0), size, c, hw, float32(0), float32(1))},
		{"dropout", []int{size, c, hw}, 0, random(image(0), image(1), size, c, hw, float32(0.5), float32(2))},
		{"norm_sums", []int{n, c}, 0, []any{none(n * c), image(1), dense(2, n*c), n, c, hw, 1}},
		{"norm_apply", []int{size}, 0, []any{image(0), image(1), dense(2, n*c), dense(3, n*c), dense(4, c), dense(5, c), n, c, hw, 1}},
		{"norm_grad_sums", []int{n, c}, 1, []any{none(n * c), none(n * c), image(2), image(3), dense(4, n*c), dense(5, n*c), n, c, hw, 1}},
		{"norm_input_grad", []int{size}, 0, []any{image(0), image(1), image(2), dense(3, n), dense(4, n), dense(5, c), dense(6, n), dense(7, n), n, c, hw, 2}},
	} {
		run := func(storage string) []float32 {
			args, out := make([]any, len(k.args)), driver.Pointer(0)
			for i, a := range k.args {
				args[i] = a
				o, ok := a.(operand)
				switch {
				case !ok:
					continue
				case o.stored && storage == "_bf16":
					args[i] = put(r, narrow(o.v)...)
				default:
					args[i] = put(r, o.v...)
				}
				if i == k.out {
					out = args[i].(driver.Pointer)
				}
			}
			r.launch(k.name+storage, k.sizes, args...)
			o := k.args[k.out].(operand)
			if !o.stored || storage == "_f32" {
				return get[float32](r, out, len(o.v))
			}
			var v []float32
			for _, b := range get[uint16](r, out, len(o.v)) {
				v = append(v, widen(b))
			}
			return v
		}
		want := run("_f32")
		if k.args[k.out].(operand).stored {
			for i := range want {
				want[i] = widen(round(want[i]))
			}
		}
		same(t, k.name, run("_bf16"), want)
	}
}

// langevin runs one step at σ = 0.1 from x = 0, with g in the kernel's storage.
func (r *rig) langevin(kernel string, x, g, copied driver.Pointer, c, hw, cs, n int, key philox.Key, at driver.Pointer) {
	r.Helper()
	r.launch(kernel, []int{n, c, hw}, x, g, copied, n, c, hw, cs, float32(0.5), float32(0.1), float32(0.75), float32(-0.25), float32(0.25),
		key.Seed, key.Step, key.Sub, key.First, at)
}

// TestSGLDStorages: with a bfloat16 gradient of more stored channels, and a copy for the next
// forward pass, the step is the float32 one; RGB's twelve at a time, and the ways round it.
func TestSGLDStorages(t *testing.T) {
	r := newRig(t)
	key := philox.New(1, 2, philox.Test).At(3, 4)
	for _, s := range [][4]int{{2, 3, 16, 4}, {2, 3, 16, 3}, {2, 3, 15, 4}, {2, 3, 16, 8}, {3, 1, 9, 2}, {2, 5, 6, 6}, {2, 3, 1, 4}, {1, 1, 4097, 1}} {
		images, c, hw, cs := s[0], s[1], s[2], s[3]
		n := images * c * hw
		g := numbers(5, n)
		spread := make([]float32, n/c*cs)
		for i := range spread {
			spread[i] = 3 // not to be read
			if i%cs < c {
				spread[i] = g[i/cs*c+i%cs]
			}
		}
		x, y := put(r, make([]float32, n)...), put(r, make([]float32, n)...)
		copied := empty[uint16](r, len(spread))
		r.langevin("sgld_f32", x, put(r, g...), 0, c, hw, c, n, key, 0)
		r.langevin("sgld_bf16", y, put(r, narrow(spread)...), copied, c, hw, cs, n, key, 0)
		want := get[float32](r, x, n)
		same(t, "x", get[float32](r, y, n), want)
		for i, b := range get[uint16](r, copied, len(spread)) {
			pad := uint16(0)
			if i%cs < c {
				pad = round(want[i/cs*c+i%cs])
			}
			if b != pad {
				t.Errorf("%v: copy, element %d: got %#x, want %#x", s, i, b, pad)
				break
			}
		}
	}
}

// TestUnaligned: a view that begins within four elements takes the slow way to the same numbers.
func TestUnaligned(t *testing.T) {
	r := newRig(t)
	const n, c, hw = 2 * 3 * 16, 3, 16
	key := philox.New(1, 2, philox.Test).At(3, 4)
	g := put(r, numbers(5, n)...)
	x, view := put(r, make([]float32, n)...), put(r, make([]float32, n+1)...)
	r.langevin("sgld_f32", x, g, 0, c, hw, c, n, key, 0)
	r.langevin("sgld_f32", view+4, g, 0, c, hw, c, n, key, 0)
	same(t, "sgld", get[float32](r, view, n+1), append([]float32{0}, get[float32](r, x, n)...))
	v := numbers(6, n)
	y := put(r, append([]float32{1}, v...)...)
	r.launch("leaky_relu_f32", []int{n}, y+4, y+4, n, float32(0.5))
	for i := range v {
		v[i] = max(v[i], v[i]/2)
	}
	same(t, "leaky_relu", get[float32](r, y, n+1), append([]float32{1}, v...))
}
