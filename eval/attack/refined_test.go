package attack

import (
	"math"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/model"
	"jem/sampler"
)

// plain is a network without dropout and batch statistics.
type plain struct{ *model.Network }

func (p plain) Forward(x backend.Tensor) backend.Tensor {
	return p.Network.Forward(x, model.Mode{})
}

// small opens a predictor on the smallest network.
func small(t *testing.T, o RefinedOptions) *Refined {
	t.Helper()
	d, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	net, err := model.New(d, model.Config{Depth: 10, Width: 1, Norm: "none", Slope: 0.2, Classes: 10, InC: 3, Size: 8}, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	o.Net, o.Density, o.Classes, o.Shape, o.Rows = plain{net}, model.NewJEM(d, net), 10, []int{3, 8, 8}, 10
	return NewRefined(d, o)
}

func images(n int) ([]float32, []int32) {
	x, y := make([]float32, n*192), make([]int32, n)
	philox.New(2, 0, philox.Test).FillUniform(x, -1, 1)
	for i := range y {
		y[i] = int32(i % 10)
	}
	return x, y
}

// Along the gradient the cross-entropy grows by h·‖g‖². Central differences err by h² of the
// third derivative and by float32 rounding of the logits over h: some 1e−3 at the h chosen.
func TestGradientOfCrossEntropy(t *testing.T) {
	r := small(t, RefinedOptions{Chains: 2})
	x, y := images(7) // two passes: five images and two
	g := make([]float32, len(x))
	if _, err := r.Gradient(g, x, CrossEntropy, y, key); err != nil {
		t.Fatal(err)
	}
	for i := range y {
		row := g[i*192 : (i+1)*192]
		norm := length(row)
		h := 0.02
		at := func(step float64) float64 {
			moved := append([]float32(nil), x[i*192:(i+1)*192]...)
			for k := range moved {
				moved[k] += float32(step / norm * float64(row[k]))
			}
			logits, err := r.Logits(moved, 1, key)
			if err != nil {
				t.Fatal(err)
			}
			return crossEntropy(logits, y[i])
		}
		slope := (at(h) - at(-h)) / (2 * h)
		if math.Abs(slope-norm) > 0.02*norm { // kinks of LeakyReLU lie within h
			t.Errorf("image %d: slope %g, gradient norm %g", i, slope, norm)
		}
	}
}

// Without noise all copies are alike, so their number changes nothing but rounding; noise
// comes from the key alone.
func TestCopiesAndKeys(t *testing.T) {
	x, y := images(3)
	sgld := sampler.SGLD{Steps: 2, StepSize: 1}
	one, five := small(t, RefinedOptions{Chains: 1, SGLD: sgld}), small(t, RefinedOptions{Chains: 5, SGLD: sgld})
	a, b := make([]float32, len(x)), make([]float32, len(x))
	if _, err := one.Gradient(a, x, CrossEntropy, y, key); err != nil {
		t.Fatal(err)
	}
	if _, err := five.Gradient(b, x, CrossEntropy, y, key); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-5 { // gradients are below 1, summed by fifths
			t.Fatalf("pixel %d: got %g and %g", i, a[i], b[i])
		}
	}
	noisy := small(t, RefinedOptions{Chains: 5, Noise: 0.1, SGLD: sampler.SGLD{Steps: 1, StepSize: 1, Noise: 0.01}})
	answer := func(k philox.Key) float32 {
		l, err := noisy.Logits(x, 3, k)
		if err != nil {
			t.Fatal(err)
		}
		return l[0]
	}
	if first := answer(key); first != answer(key) || first == answer(key.At(1, 0)) {
		t.Error("the noise doesn't follow the key")
	}
}
