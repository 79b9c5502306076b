//go:build cuda && linux && amd64

package cuda_test

import (
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/philox"
	"jem/cuda"
)

func download(t testing.TB, d backend.Device, x backend.Tensor) []float32 {
	t.Helper()
	v := make([]float32, backend.Len(x))
	if err := d.Download(v, x); err != nil {
		t.Fatal(err)
	}
	return v
}

// A tensor whose parts are held in different storages, because convolutions wrote some of
// them in bfloat16, reads as if all were float32: whoever reads a part, writes across a border,
// or convolves into overlapping parts, leaves the rest as it was.
func TestStoragesMix(t *testing.T) {
	const n, c, size = 4, 8, 4
	d := open(t, cuda.Options{Precision: "bf16", Scope: "all"})
	w, x, y := d.New(backend.Dense, c, c, 1, 1), d.New(backend.Image, n, c, size, size), d.New(backend.Image, n, c, size, size)
	key := philox.New(1, 0, philox.Test)
	d.Normal(w, key.At(1, 0), 0, 1)
	d.Normal(x, key.At(2, 0), 0, 1)
	plan := d.NewConv(backend.ConvSpec{N: n, InC: c, H: size, W: size, OutC: c, Kernel: 1, Stride: 1, Slope: 0.2}, w, nil)
	convolve := func(lo, hi int) { plan.Forward(d.Rows(y, lo, hi), nil, d.Rows(x, lo, hi), nil) }
	convolve(0, n)
	all := download(t, d, y)
	row := len(all) / n
	check := func(what string, want []float32) {
		t.Helper()
		if got := download(t, d, y); !slices.Equal(got, want) {
			t.Errorf("%s changed other images, or left its own", what)
		}
	}
	fresh := func() { d.Fill(y, 3) }
	filled := slices.Repeat([]float32{3}, len(all))
	with := func(v []float32, lo, hi int) []float32 {
		v = slices.Clone(v)
		copy(v[lo*row:hi*row], all[lo*row:hi*row])
		return v
	}

	fresh()
	convolve(1, 3)
	check("a convolution into two of four images", with(filled, 1, 3))
	convolve(2, 4)
	check("one into two that overlap these", with(filled, 1, 4))
	convolve(0, n)
	d.Fill(d.Rows(y, 1, 2), 3)
	if got := download(t, d, d.Rows(y, 2, 3)); !slices.Equal(got, all[2*row:3*row]) {
		t.Error("image 2 reads wrong after image 1 was filled")
	}
	check("filling one image", with(with(filled, 0, 1), 2, 4))
	fresh()
	convolve(0, 2)
	convolve(2, 4)
	d.Axpy(d.Rows(y, 1, 3), 0, d.Rows(x, 1, 3))
	check("adding nothing across a border", all)
	fresh()
	convolve(0, 2)
	d.Copy(d.Rows(y, 2, 4), d.Rows(y, 0, 2))
	check("copying", append(slices.Clone(all[:2*row]), all[:2*row]...))
}
