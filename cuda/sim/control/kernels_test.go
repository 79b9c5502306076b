//go:build cuda && linux && amd64

package control_test

import (
	"math"
	"slices"
	"testing"

	"jem/cuda/internal/driver"
	"jem/internal/philox"
	"jem/kernels"
)

var nan = float32(math.NaN())

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

// same compares bits.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("%s: element %d of %d: got %v, want %v", what, i, len(want), got[i], want[i])
			return
		}
	}
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
	slope, key := float32(0.25), []any{uint64(9), uint32(2), uint32(3), uintptr(0)}
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

// TestNaN: no kernel turns a NaN into a number.
func TestNaN(t *testing.T) {
	r := newRig(t)
	x := func() driver.Pointer { return put(r, 1, 2, nan, 4, 5) }
	at2 := func(what string, p driver.Pointer) {
		t.Helper()
		if v := get[float32](r, p, 5); v[2] == v[2] || v[1] != v[1] || v[3] != v[3] {
			t.Errorf("%s: %v, want a NaN at place 2 only", what, v)
		}
	}
	p, zero := x(), put[float32](r, 0, 0, 0, 0, 0)
	r.launch("clamp_f32", []int{5}, p, 5, float32(-3), float32(3))
	at2("clamp", p)
	p = x()
	r.launch("leaky_relu_f32", []int{5}, p, p, 5, float32(0))
	at2("leaky_relu", p)
	r.launch("sgld_f32", []int{5, 1, 5}, zero, x(), uintptr(0), 5, 1, 5, 1, float32(1), float32(0), float32(0.5), float32(-1), float32(1), uint64(0), uint32(0), uint32(0), uintptr(0))
	at2("sgld gradient", zero)
	p = x()
	r.launch("sgld_f32", []int{5, 1, 5}, p, put[float32](r, 0, 0, 0, 0, 0), uintptr(0), 5, 1, 5, 1, float32(1), float32(0), float32(0.5), float32(-9), float32(9), uint64(0), uint32(0), uint32(0), uintptr(0))
	at2("sgld image", p)
	y := empty[float32](r, 5)
	r.launch("max_pool_f32", []int{5}, y, x(), 5, 1, 1, 1, 1, 1, 0)
	at2("max_pool", y)
	r.launch("max_pool_f32", []int{5}, y, x(), 1, 1, 1, 5, 3, 1, 1)
	for i, v := range get[float32](r, y, 5) {
		if inside := i >= 1 && i <= 3; inside != (v != v) {
			t.Errorf("max_pool over a NaN, window %d: %v", i, v)
		}
	}
	for _, k := range []int{5, 40, 1100} { // in one lane, beyond a warp, beyond the registers
		v := numbers(k, k)
		v[k-1] = nan
		r.launch("log_sum_exp", []int{1}, y, put(r, v...), 1, k)
		if got := get[float32](r, y, 1)[0]; got == got {
			t.Errorf("log_sum_exp of %d logits with a NaN: %v", k, got)
		}
	}
}

// TestNotFinite: the flag stays 0 on the largest numbers, and tells infinity and NaN at any place.
func TestNotFinite(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		bad  float32
		want int32
	}{{math.MaxFloat32, 0}, {float32(math.Inf(1)), 1}, {float32(math.Inf(-1)), 1}, {nan, 1}} {
		for _, place := range []int{0, 3, 1024, 1028} {
			v := numbers(1, 1029)
			v[place] = c.bad
			flag := put[int32](r, 0)
			r.launch("not_finite_f32", []int{len(v)}, flag, put(r, v...), len(v))
			if got := get[int32](r, flag, 1)[0]; got != c.want {
				t.Errorf("%v at %d: flag %d, want %d", c.bad, place, got, c.want)
			}
		}
	}
}

// langevin runs one step at σ = 0.1 from x = 0, with g in the kernel's storage.
func (r *rig) langevin(kernel string, x, g, copied driver.Pointer, c, hw, cs, n int, key philox.Key, at driver.Pointer) {
	r.Helper()
	r.launch(kernel, []int{n, c, hw}, x, g, copied, n, c, hw, cs, float32(0.5), float32(0.1), float32(0.75), float32(-0.25), float32(0.25),
		key.Seed, key.Step, key.Sub, at)
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

// TestReplayDrawsAnew: a captured chain of steps reads its key from device memory; each replay is
// what the steps would have been with that key.
func TestReplayDrawsAnew(t *testing.T) {
	r := newRig(t)
	const n, steps = 4 * 3 * 16, 3
	x, g, at := put(r, make([]float32, n)...), put(r, make([]float32, n)...), put(r, make([]uint64, 2)...)
	r.do(r.ctx.BeginCapture)
	for k := range steps {
		r.langevin("sgld_f32", x, g, 0, 3, 16, 3, n, philox.Key{Sub: uint32(k)}, at)
	}
	var graph *driver.Graph
	r.do(func() (err error) { graph, err = r.ctx.EndCapture(); return })
	t.Cleanup(func() { r.do(graph.Destroy) })
	var before []float32
	for run := range 3 {
		key := philox.New(5, 0, philox.ChainNoise).At(run, 10)
		write(r, x, make([]float32, n)...)
		r.launch("key_set", nil, at, key.Seed, key.Step, key.Sub)
		r.do(func() error { return r.ctx.Replay(graph) })
		got := get[float32](r, x, n)
		plain := put(r, make([]float32, n)...)
		for k := range steps {
			r.langevin("sgld_f32", plain, g, 0, 3, 16, 3, n, key.At(run, 10+k), 0)
		}
		same(t, "replay", got, get[float32](r, plain, n))
		if slices.Equal(got, before) {
			t.Errorf("run %d drew the numbers of the one before", run)
		}
		before = got
	}
}

// TestManyClasses: beyond the 1024 logits that a warp keeps. Error: as in the conformance suite,
// (2·|lse| + 2·log K + 4 + √K)·2⁻²⁴ = 3e-6.
func TestManyClasses(t *testing.T) {
	r := newRig(t)
	for _, k := range []int{1023, 1024, 1025, 1500} {
		v := numbers(k, 2*k)
		lse, d := empty[float32](r, 2), empty[float32](r, 2*k)
		x := put(r, v...)
		r.launch("log_sum_exp", []int{2}, lse, x, 2, k)
		r.launch("logit_grad", []int{2}, d, x, put[int32](r, int32(k-1), 0), put[float32](r, 1, 0, -1, 0, 0, 0), 2, k)
		l, g := get[float32](r, lse, 2), get[float32](r, d, 2*k)
		for row := range 2 {
			sum := 0.0
			for _, x := range v[row*k : (row+1)*k] {
				sum += math.Exp(float64(x))
			}
			if e := math.Abs(float64(l[row]) - math.Log(sum)); e > 3e-6 {
				t.Errorf("%d classes, row %d: LogSumExp %v, off by %.2g", k, row, l[row], e)
			}
			for i, x := range v[row*k : (row+1)*k] {
				want := 0.0
				if row == 0 {
					want = math.Exp(float64(x)) / sum
					if i == k-1 {
						want--
					}
				}
				if e := math.Abs(float64(g[row*k+i]) - want); e > 3e-6*math.Abs(want) {
					t.Fatalf("%d classes, row %d, class %d: gradient %v, want %v", k, row, i, g[row*k+i], want)
				}
			}
		}
	}
}

// TestMissingLabel: a row that wants its label and has none is lost visibly, its neighbours stay.
func TestMissingLabel(t *testing.T) {
	r := newRig(t)
	d := empty[float32](r, 8)
	r.launch("logit_grad", []int{4}, d, put(r, numbers(1, 8)...), put[int32](r, 2, -1, 1, -1), put[float32](r, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0), 4, 2)
	for i, v := range get[float32](r, d, 8) {
		if lost := i < 4; lost != (v != v) {
			t.Errorf("element %d: %v", i, v)
		}
	}
}

// TestRows: padded channels, both lists of rows at once, the last of repeated rows, negative rows.
func TestRows(t *testing.T) {
	r := newRig(t)
	const c, hw, cs = 2, 3, 4
	dense := numbers(1, 4*c*hw)
	image := put(r, numbers(2, 5*hw*cs)...)
	want := get[float32](r, image, 5*hw*cs)
	to, from := []int32{3, 1, -1, 1}, []int32{0, 2, 1, -1}
	r.launch("to_nhwc_f32", []int{4, hw * cs}, image, put(r, dense...), put(r, to...), put(r, from...), 4, c, hw, cs)
	for i := range hw * cs {
		p, ch := i/cs, i%cs
		want[3*hw*cs+i], want[1*hw*cs+i] = 0, 0
		if ch < c {
			want[3*hw*cs+i], want[1*hw*cs+i] = dense[ch*hw+p], math.Float32frombits(0x7fc00000)
		}
	}
	same(t, "to_nhwc", get[float32](r, image, 5*hw*cs), want)

	back := put(r, make([]float32, 3*c*hw)...)
	v := get[float32](r, image, 5*hw*cs)
	for range 2 { // added twice
		r.launch("to_nchw_f32", []int{3, hw * c}, back, image, put[int32](r, 2, 0, 0), put[int32](r, 3, 4, 0), 3, c, hw, cs, 1)
	}
	sum := make([]float32, 3*c*hw)
	for i := range c * hw {
		ch, p := i/hw, i%hw
		sum[2*c*hw+i], sum[i] = 2*v[(3*hw+p)*cs+ch], 2*v[p*cs+ch]
	}
	same(t, "to_nchw", get[float32](r, back, 3*c*hw), sum)
}

// TestLongSums: more than one round of every block. Error: 6·2⁻²⁴·Σ|terms| for sums of zero mean,
// √n·2⁻²⁴ of the sum for squares, as in the conformance suite.
func TestLongSums(t *testing.T) {
	r := newRig(t)
	const c = 3
	const pixels = 1<<16 + 77
	v := numbers(3, pixels*c)
	x, parts, db := put(r, v...), empty[float32](r, kernels.PixelParts(pixels)*c), put(r, make([]float32, c)...)
	r.launch("bias_grad_parts_f32", []int{pixels, c}, parts, x, pixels, c)
	r.launch("bias_grad", []int{c}, db, parts, kernels.PixelParts(pixels), c)
	for ch, got := range get[float32](r, db, c) {
		want, scale := 0.0, 0.0
		for i := ch; i < len(v); i += c {
			want += float64(v[i])
			scale += math.Abs(float64(v[i]))
		}
		if e := math.Abs(float64(got) - want); e > 6*scale/(1<<24) {
			t.Errorf("bias_grad of channel %d: %v, off by %v", ch, got, e)
		}
	}
	count := kernels.ElementParts(len(v))
	squares, sum := empty[float32](r, count), empty[float32](r, 1)
	r.launch("sum_squares_parts_f32", []int{len(v)}, squares, x, len(v))
	r.launch("sum_squares", []int{1}, sum, squares, count)
	want := 0.0
	for _, v := range v {
		want += float64(v) * float64(v)
	}
	if got := get[float32](r, sum, 1)[0]; math.Abs(float64(got)-want) > want*math.Sqrt(float64(len(v)))/(1<<24) {
		t.Errorf("sum_squares: %v, want %v", got, want)
	}
}

// TestPools compares with the definition; a mean of at most nine errs by 9·2⁻²⁴ of the magnitudes,
// which are below 1.
func TestPools(t *testing.T) {
	r := newRig(t)
	for _, s := range [][7]int{{2, 3, 5, 7, 3, 2, 1}, {1, 5, 6, 6, 3, 1, 0}, {1, 1, 4, 9, 2, 2, 0}, {3, 2, 3, 3, 3, 1, 1}} {
		n, c, h, w, size, stride, pad := s[0], s[1], s[2], s[3], s[4], s[5], s[6]
		oh, ow := (h+2*pad-size)/stride+1, (w+2*pad-size)/stride+1
		v := numbers(n, n*h*w*c)
		x, largest, mean := put(r, v...), empty[float32](r, n*oh*ow*c), empty[float32](r, n*oh*ow*c)
		r.launch("max_pool_f32", []int{n * oh * ow * c}, largest, x, n, c, h, w, size, stride, pad)
		r.launch("mean_pool_f32", []int{n * oh * ow * c}, mean, x, n, c, h, w, size, stride, pad)
		gotL, gotM := get[float32](r, largest, n*oh*ow*c), get[float32](r, mean, n*oh*ow*c)
		for i := range gotL {
			image, row, col, ch := i/(oh*ow*c), i/(ow*c)%oh, i/c%ow, i%c
			most, sum, count := math.Inf(-1), 0.0, 0.0
			for y := max(row*stride-pad, 0); y < min(row*stride-pad+size, h); y++ {
				for x := max(col*stride-pad, 0); x < min(col*stride-pad+size, w); x++ {
					value := float64(v[((image*h+y)*w+x)*c+ch])
					most, sum, count = max(most, value), sum+value, count+1
				}
			}
			if float64(gotL[i]) != most || math.Abs(float64(gotM[i])-sum/count) > 9.0/(1<<24) {
				t.Fatalf("%v, output %d: largest %v and mean %v, want %v and %v", s, i, gotL[i], gotM[i], most, sum/count)
			}
		}
	}
}
