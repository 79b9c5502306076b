package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/internal/allocs"
)

// verb is a call whose results are its outputs.
type verb struct {
	name string
	call func()
	outs []*tensor
}

// verbs returns all verbs of a device but convolution, on tensors of a few parts each.
func verbs(d *Device) []verb {
	const n, c, h, w, k = 3, 20, 16, 32, 10
	size := n * c * h * w
	dense := func(shape ...int) *tensor {
		t := d.New(backend.Dense, shape...).(*tensor)
		d.Upload(t, normals(backend.Len(t)))
		return t
	}
	image := func() *tensor { return upload(d, backend.Image, normals(size), n, c, h, w) }
	x, y, z, feature := image(), image(), image(), dense(n, c)
	p, g, m, v := dense(size), dense(size), dense(size), d.New(backend.Dense, size).(*tensor)
	const pixels = 3 * 64 * 64 // of a picture: more than one chunk in all
	planar := upload(d, backend.Image, normals(n*pixels), n, 3, 64, 64)
	grad := upload(d, backend.Image, normals(n*pixels), n, 3, 64, 64)
	logits, dlogits, weights, bias := dense(n, k), dense(n, k), dense(k, c), dense(k)
	each, coef, one := dense(n), dense(n, 4), dense(1)
	replay := dense(7, pixels)
	rows := d.New(backend.Index, n).(*tensor)
	d.UploadIndex(rows, []int32{6, 1, 1})
	gamma, beta, mean, variance := dense(c), dense(c), dense(c), d.New(backend.Dense, c).(*tensor)
	batch := d.NewNorm(backend.NormSpec{Kind: backend.BatchNorm, C: c, H: h, W: w, Eps: 1e-5, Momentum: 0.1}, gamma, beta, mean, variance)
	layer := d.NewNorm(backend.NormSpec{Kind: backend.LayerNorm, C: c, H: h, W: w, Eps: 1e-5}, gamma, beta, nil, nil)
	host := normals(size)
	sgld := backend.SGLD{StepSize: 1, Noise: 0.01, GradClip: 2, Lo: -1, Hi: 1}
	return []verb{
		{"Upload", func() { d.Upload(x, host) }, []*tensor{x}},
		{"Download", func() { d.Download(host, x) }, nil},
		{"Copy", func() { d.Copy(y, x) }, []*tensor{y}},
		{"Copy to Dense", func() { d.Copy(p, x) }, []*tensor{p}},
		{"Fill", func() { d.Fill(y, 1) }, []*tensor{y}},
		{"UploadRows", func() { d.UploadRows(y, []int{2, 0}, host[:2*c*h*w]) }, []*tensor{y}},
		{"LeakyReLU", func() { d.LeakyReLU(y, x, 0.2) }, []*tensor{y}},
		{"LeakyReLUGrad", func() { d.LeakyReLUGrad(y, x, x, 0.2) }, []*tensor{y}},
		{"Axpy", func() { d.Axpy(y, 0.5, x) }, []*tensor{y}},
		{"AxpySquared", func() { d.AxpySquared(p, 0.5, g) }, []*tensor{p}},
		{"Lerp", func() { d.Lerp(y, x, 0.5) }, []*tensor{y}},
		{"Clamp", func() { d.Clamp(y, 0.1, 0.2) }, []*tensor{y}},
		{"Dropout", func() { d.Dropout(z, x, testKey, 0.3) }, []*tensor{z}},
		{"AvgPool", func() { d.AvgPool(feature, x) }, []*tensor{feature}},
		{"AvgPoolGrad", func() { d.AvgPoolGrad(y, feature, x, 0.2) }, []*tensor{y}},
		{"AvgPoolGrad without act", func() { d.AvgPoolGrad(y, feature, nil, 0.2) }, []*tensor{y}},
		{"Linear", func() { d.Linear(logits, feature, weights, bias) }, []*tensor{logits}},
		{"LinearInputGrad", func() { d.LinearInputGrad(feature, logits, weights) }, []*tensor{feature}},
		{"LinearParamGrad", func() { d.LinearParamGrad(weights, bias, feature, logits) }, []*tensor{weights, bias}},
		{"LogSumExp", func() { d.LogSumExp(each, logits) }, []*tensor{each}},
		{"LogitGrad", func() { d.LogitGrad(dlogits, logits, rows, coef) }, []*tensor{dlogits}},
		{"RowNorm", func() { d.RowNorm(each, x) }, []*tensor{each}},
		{"SumSquares", func() { d.SumSquares(one, x) }, []*tensor{one}},
		{"ProductSquares", func() { d.ProductSquares(one, x, y) }, []*tensor{one}},
		{"Uniform", func() { d.Uniform(p, testKey, -1, 1) }, []*tensor{p}},
		{"Normal", func() { d.Normal(p, testKey, 0, 1) }, []*tensor{p}},
		{"Normal blocked", func() { d.Normal(z, testKey, 0, 1) }, []*tensor{z}},
		{"SGLDStep", func() { d.SGLDStep(planar, grad, testKey, sgld) }, []*tensor{planar}},
		{"SGLDStep blocked", func() { d.SGLDStep(z, x, testKey, sgld) }, []*tensor{z}},
		{"SignStep", func() { d.SignStep(planar, grad, 0.1) }, []*tensor{planar}},
		{"UnitStep", func() { d.UnitStep(planar, grad, 0.1) }, []*tensor{planar}},
		{"UnitStep blocked", func() { d.UnitStep(z, x, 0.1) }, []*tensor{z}},
		{"Project LInf", func() { d.Project(planar, grad, backend.Ball{Radius: 0.5, Lo: -1, Hi: 1}) }, []*tensor{planar}},
		{"Project L2", func() { d.Project(planar, grad, backend.Ball{Norm: backend.L2, Radius: 0.5, Lo: -1, Hi: 1}) }, []*tensor{planar}},
		{"GatherRows", func() { d.GatherRows(planar, replay, rows) }, []*tensor{planar}},
		{"ScatterRows", func() { d.ScatterRows(replay, planar, rows) }, []*tensor{replay}},
		{"AdamStep", func() {
			d.AdamStep(p, g, m, v, backend.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1, Step: 3})
		}, []*tensor{p, m, v}},
		{"SGDStep", func() { d.SGDStep(p, g, m, backend.SGD{LR: 0.1, Momentum: 0.9, GradScale: 1, First: true}) }, []*tensor{p, m}},
		{"batch Norm", func() { batch.Forward(y, x, backend.MovingStats); batch.InputGrad(z, y, x) }, []*tensor{y, z, mean, variance}},
		{"layer Norm", func() { layer.Forward(y, x, backend.MovingStats); layer.InputGrad(z, y, x) }, []*tensor{y, z}},
		{"Norm.ParamGrad", func() { layer.ParamGrad(gamma, beta, x, y) }, []*tensor{gamma, beta}},
	}
}

func TestVerbsAllocateNothing(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		for _, v := range verbs(testDevice(t, isa, 2)) {
			if n := allocs.PerRun(5, v.call); n != 0 {
				t.Errorf("%s allocates %v times", v.name, n)
			}
		}
	})
}

// bits runs every verb of a new device once and returns all outputs.
func bits(t *testing.T, isa asm.ISA, threads int) map[string][]uint32 {
	d := openDevice(t, Options{ISA: isa.String(), Threads: threads})
	all := map[string][]uint32{}
	for _, v := range verbs(d) {
		v.call()
		for i, out := range v.outs {
			var b []uint32
			for _, x := range out.data {
				b = append(b, math.Float32bits(x))
			}
			all[fmt.Sprintf("%s, output %d", v.name, i)] = b
		}
	}
	return all
}

func TestResultsDoNotDependOnThreads(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		one := bits(t, isa, 1)
		for _, threads := range []int{2, 3, 8} {
			for name, got := range bits(t, isa, threads) {
				if !slices.Equal(got, one[name]) {
					t.Errorf("%s: %s: %d threads give other bits than one", isa, name, threads)
				}
			}
		}
	})
}
