//go:build cuda && linux && amd64

package control_test

import (
	"math"
	"slices"
	"testing"

	"jem/backend/philox"
	"jem/cuda/internal/driver"
	"jem/kernels"
)

var nan = float32(math.NaN())

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
	r.launch("sgld_f32", []int{5, 1, 5}, zero, x(), uintptr(0), 5, 1, 5, 1, float32(1), float32(0), float32(0.5), float32(-1), float32(1), uint64(0), uint32(0), uint32(0), uint64(0), uintptr(0))
	at2("sgld gradient", zero)
	p = x()
	r.launch("sgld_f32", []int{5, 1, 5}, p, put[float32](r, 0, 0, 0, 0, 0), uintptr(0), 5, 1, 5, 1, float32(1), float32(0), float32(0.5), float32(-9), float32(9), uint64(0), uint32(0), uint32(0), uint64(0), uintptr(0))
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

// TestReplayDrawsAnew: a captured chain of steps reads its key from device memory; each replay is
// what the steps would have been with that key.
func TestReplayDrawsAnew(t *testing.T) {
	r := newRig(t)
	const n, steps = 4 * 3 * 16, 3
	x, g, at := put(r, make([]float32, n)...), put(r, make([]float32, n)...), put(r, make([]uint64, 3)...)
	r.do(r.ctx.BeginCapture)
	for k := range steps {
		r.langevin("sgld_f32", x, g, 0, 3, 16, 3, n, philox.Key{Sub: uint32(k), First: uint64(7 * k)}, at)
	}
	var graph *driver.Graph
	r.do(func() (err error) { graph, err = r.ctx.EndCapture(); return })
	t.Cleanup(func() { r.do(graph.Destroy) })
	var before []float32
	for run := range 3 {
		key := philox.New(5, 0, philox.ChainNoise).At(run, 10)
		key.First = uint64(run) * (1<<32 - 9)
		write(r, x, make([]float32, n)...)
		r.launch("key_set", nil, at, key.Seed, key.Step, key.Sub, key.First)
		r.do(func() error { return r.ctx.Replay(graph) })
		got := get[float32](r, x, n)
		plain := put(r, make([]float32, n)...)
		for k := range steps {
			r.langevin("sgld_f32", plain, g, 0, 3, 16, 3, n, key.At(run, 10+k).From(28*k), 0)
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
		r.launch("logit_grad", []int{2}, d, x, put[int32](r, int32(k-1), 0), put[float32](r, 1, 0, -1, 0, 0, 0, 0, 0), 2, k)
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
	r.launch("logit_grad", []int{4}, d, put(r, numbers(1, 8)...), put[int32](r, 2, -1, 1, -1), put[float32](r, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0), 4, 2)
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
