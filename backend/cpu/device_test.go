package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
)

// The device keeps these parts of the contract whatever becomes of the convolutions.
var _ interface {
	backend.Memory
	backend.Pointwise
	backend.Head
	backend.Random
	backend.Update
} = (*Device)(nil)

var testKey = philox.New(1, 0, philox.Test)

// openDevice returns a device that is closed when the test ends.
func openDevice(t testing.TB, o Options) *Device {
	t.Helper()
	d, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func normals(n int) []float32 {
	z := make([]float32, n)
	testKey.FillNormal(z)
	return z
}

// upload returns a new tensor that holds the values.
func upload(d *Device, kind backend.Kind, values []float32, shape ...int) *tensor {
	t := d.New(kind, shape...)
	d.Upload(t, values)
	return t.(*tensor)
}

func download(t testing.TB, d *Device, x backend.Tensor) []float32 {
	t.Helper()
	v := make([]float32, backend.Len(x))
	if err := d.Download(v, x); err != nil {
		t.Fatal(err)
	}
	return v
}

// imageShapes cover planar, blocked with full and with padded planes, odd sizes.
var imageShapes = [][]int{{1, 1, 1, 1}, {2, 3, 5, 7}, {3, 16, 4, 4}, {2, 17, 3, 5}, {2, 40, 6, 2}, {1, 32, 1, 1}}

func TestOpen(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		d := openDevice(t, Options{ISA: isa.String(), Threads: 2})
		if want := fmt.Sprintf("cpu (%s, 2 threads)", isa); d.Name() != want {
			t.Errorf("Name() = %q, want %q", d.Name(), want)
		}
		if i := d.Info(); i.Kind != "cpu" || i.Model == "" || i.ISA != isa.String() || i.Threads != 2 {
			t.Errorf("Info() = %+v", i)
		}
	})
	if d := openDevice(t, Options{}); d.isa != asm.Best() {
		t.Errorf("the zero options give %s, want %s", d.isa, asm.Best())
	}
	for _, o := range []Options{{ISA: "mmx"}, {Threads: -1}} {
		if _, err := Open(o); err == nil {
			t.Errorf("Open(%+v) succeeds", o)
		}
	}
}

func TestLayoutRoundTrip(t *testing.T) {
	d := openDevice(t, Options{Threads: 2})
	for _, shape := range imageShapes {
		x := upload(d, backend.Image, normals(shape[0]*shape[1]*shape[2]*shape[3]), shape...)
		want := normals(backend.Len(x))
		if !slices.Equal(download(t, d, x), want) {
			t.Errorf("%v: Download(Upload) differs", shape)
		}
		checkHalo(t, x)
		dense := d.New(backend.Dense, backend.Len(x))
		d.Copy(dense, x)
		if !slices.Equal(download(t, d, dense), want) {
			t.Errorf("%v: Copy to Dense differs", shape)
		}
		y := d.New(backend.Image, shape...)
		d.Copy(y, dense)
		if !slices.Equal(download(t, d, y), want) {
			t.Errorf("%v: Copy to Image differs", shape)
		}
	}
}

// checkHalo fails unless all that isn't a valid pixel of a valid channel is zero.
func checkHalo(t testing.TB, x *tensor) {
	t.Helper()
	rest := slices.Clone(x.data)
	g := &x.geom
	for n := range x.shape[0] {
		for c := range g.c {
			for h := range g.h {
				for w := range g.w {
					rest[n*g.image+g.at(c, h, w)] = 0
				}
			}
		}
	}
	for i, v := range rest {
		if v != 0 {
			t.Fatalf("%s: padding at %d holds %v", backend.Describe(x), i, v)
		}
	}
}

// Every operation that writes an image leaves its padding zero.
func TestPaddingStaysZero(t *testing.T) {
	d := openDevice(t, Options{Threads: 2})
	shape := []int{2, 17, 3, 5}
	x := upload(d, backend.Image, normals(2*17*15), shape...)
	y, nan := d.New(backend.Image, shape...).(*tensor), d.New(backend.Image, shape...)
	d.Fill(nan, float32(math.NaN()))
	dense := upload(d, backend.Dense, normals(2*17), 2, 17)
	replay := upload(d, backend.Dense, normals(3*17*15), 3, 17*15)
	rows := d.New(backend.Index, 2)
	d.UploadIndex(rows, []int32{2, 0})
	c := upload(d, backend.Dense, normals(17), 17)
	stats := []backend.Tensor{d.New(backend.Dense, 17), d.New(backend.Dense, 17)}
	d.Fill(stats[1], 1)
	// eps = 0 makes the statistics of padded channels singular.
	norm := d.NewNorm(backend.NormSpec{C: 17, H: 3, W: 5}, c, c, stats[0], stats[1])
	for name, op := range map[string]func(){
		"Fill":          func() { d.Fill(y, 3) },
		"Clamp":         func() { d.Copy(y, x); d.Clamp(y, 0.5, 1) },
		"LeakyReLU":     func() { d.LeakyReLU(y, x, 0.2) },
		"LeakyReLUGrad": func() { d.LeakyReLUGrad(y, x, x, 0.2) },
		"Axpy":          func() { d.Axpy(y, 2, x) },
		"Lerp":          func() { d.Lerp(y, x, 0.1) },
		"Dropout":       func() { d.Dropout(y, x, testKey, 0.5) },
		"AvgPoolGrad":   func() { d.AvgPoolGrad(y, dense, x, 0.2) },
		"Uniform":       func() { d.Uniform(y, testKey, 1, 2) },
		"Normal":        func() { d.Normal(y, testKey, 1, 2) },
		"SGLDStep":      func() { d.SGLDStep(y, x, testKey, backend.SGLD{StepSize: 1, Noise: 1, Lo: 1, Hi: 2}) },
		"SignStep":      func() { d.SignStep(y, x, 1) },
		"UnitStep":      func() { d.UnitStep(y, x, 1) },
		"UnitStep, NaN": func() { d.UnitStep(y, nan, 1) },
		"Project LInf":  func() { d.Project(y, x, backend.Ball{Radius: 0.1, Lo: 1, Hi: 2}) },
		"Project L2":    func() { d.Project(y, x, backend.Ball{Norm: backend.L2, Radius: 0.1, Lo: 1, Hi: 2}) },
		"Project, NaN":  func() { d.Project(y, nan, backend.Ball{Norm: backend.L2, Radius: 0.1, Lo: 1, Hi: 2}) },
		"GatherRows":    func() { d.GatherRows(y, replay, rows) },
		"UploadRows":    func() { d.UploadRows(y, []int{1}, normals(17*15)) },
		"Norm.Forward":  func() { norm.Forward(y, x, backend.MovingStats) },
		"Norm.InputGrad": func() {
			norm.Forward(y, x, backend.MovingStats)
			norm.InputGrad(y, x, x)
		},
	} {
		op()
		t.Run(name, func(t *testing.T) { checkHalo(t, y) })
	}
}

// A plan serves any batch, whatever it served before.
func TestNormTakesAnyBatch(t *testing.T) {
	d := openDevice(t, Options{Threads: 2})
	for _, c := range []int{3, 17} {
		ones := d.New(backend.Dense, c)
		d.Fill(ones, 1)
		plan := func() backend.Norm {
			return d.NewNorm(backend.NormSpec{Kind: backend.InstanceNorm, C: c, H: 5, W: 7, Eps: 1e-5}, ones, ones, nil, nil)
		}
		used := plan()
		for _, n := range []int{2, 5, 1} {
			x := upload(d, backend.Image, normals(n*c*35), n, c, 5, 7)
			var out, grad [2][]float32
			for i, p := range []backend.Norm{used, plan()} {
				y, dx := d.New(backend.Image, n, c, 5, 7), d.New(backend.Image, n, c, 5, 7)
				p.Forward(y, x, backend.MovingStats)
				p.InputGrad(dx, y, x)
				out[i], grad[i] = download(t, d, y), download(t, d, dx)
			}
			if !slices.Equal(out[0], out[1]) || !slices.Equal(grad[0], grad[1]) {
				t.Errorf("%d channels: batch %d differs from a new plan's", c, n)
			}
		}
	}
}
