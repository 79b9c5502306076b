package model_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/model"
)

// probe is a small network with the linear functional Σ c·logits of a fixed random c, whose
// gradients are compared with differences.
type probe struct {
	dev       backend.Device
	net       *model.Network
	x, dlogit backend.Tensor
	c         []float32
	mode      model.Mode
}

func open(t testing.TB) *cpu.Device {
	t.Helper()
	d, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func newProbe(t testing.TB, c model.Config, batch int, train bool) *probe {
	d := open(t)
	net, err := model.New(d, c, batch, 1)
	if err != nil {
		t.Fatal(err)
	}
	// Larger weights than PyTorch's default make logits and gradients of order 1.
	d.Axpy(net.Params.Value, 1, net.Params.Value)
	d.ParamsChanged()
	p := &probe{dev: d, net: net, c: make([]float32, batch*c.Classes)}
	philox.New(2, 0, philox.Test).FillNormal(p.c)
	p.x = d.New(backend.Image, batch, c.InC, c.Size, c.Size)
	d.Normal(p.x, philox.New(3, 0, philox.Test), 0, 0.5)
	p.dlogit = d.New(backend.Dense, batch, c.Classes)
	d.Upload(p.dlogit, p.c)
	p.mode = model.Mode{Train: train, DropKey: philox.New(4, 0, philox.DropMask)}
	if train {
		p.mode.Norm = backend.MovingStats
	}
	return p
}

// value is the functional at x, summed in float64.
func (p *probe) value(t testing.TB) float64 {
	logits := make([]float32, len(p.c))
	if err := p.dev.Download(logits, p.net.Forward(p.x, p.mode)); err != nil {
		t.Fatal(err)
	}
	return dot(logits, p.c)
}

// slope is the derivative of value along direction v of target, by central differences.
func (p *probe) slope(t testing.TB, target, v backend.Tensor, h float32) float64 {
	move := func(a float32) float64 {
		p.dev.Axpy(target, a, v)
		p.dev.ParamsChanged()
		return p.value(t)
	}
	up := move(h)
	down := move(-2 * h)
	move(h)
	return (up - down) / (2 * float64(h))
}

func dot(a, b []float32) float64 {
	var s float64
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

func download(t testing.TB, d backend.Device, x backend.Tensor) []float32 {
	out := make([]float32, backend.Len(x))
	if err := d.Download(out, x); err != nil {
		t.Fatal(err)
	}
	return out
}

var configs = []model.Config{
	{Depth: 10, Width: 1, Classes: 10, InC: 3, Size: 8, Slope: 0.2},
	{Depth: 16, Width: 1, Classes: 5, InC: 1, Size: 16, Slope: 0.2},
	{Depth: 10, Width: 2, Classes: 10, InC: 3, Size: 8, Norm: "batch", Slope: 0.2},
	{Depth: 10, Width: 1, Classes: 10, InC: 3, Size: 8, Norm: "instance", Slope: 0.2},
	{Depth: 10, Width: 2, Classes: 10, InC: 1, Size: 8, Norm: "layer", Slope: 0.2},
	{Depth: 10, Width: 1, Classes: 10, InC: 3, Size: 8, Dropout: 0.3, Slope: 0.2},
	{Depth: 10, Width: 1, Classes: 10, InC: 3, Size: 8, Norm: "layer", Dropout: 0.3, Slope: 0.2},
	{Network: model.MLP, Depth: 1, Width: 5, Classes: 3, InC: 2, Size: 1, Slope: 0.2},
	{Network: model.MLP, Depth: 2, Width: 64, Classes: 4, InC: 2, Size: 1, Slope: 0.1},
	{Network: model.MLP, Depth: 3, Width: 20, Classes: 10, InC: 3, Size: 8, Dropout: 0.3, Slope: 0.2},
	{Network: model.MLP, Depth: 2, Width: 33, Classes: 5, InC: 17, Size: 3, Slope: 0.2},
}

// Central differences along random directions v, |v| ≈ √dim, against the inner product with
// the gradient. A step that passes kinks of the LeakyReLU errs by the share of units passed,
// which falls with h; rounding errs by about 1e-6·|value|/h and grows. At the steps chosen
// both stay under 2 % of |∇| here (steps from 1e-2 to 1e-5 were tried); three times that is
// allowed. A missing or doubled term shows at the size of the derivative itself, about |∇|.
func TestGradientsAgainstDifferences(t *testing.T) {
	for _, c := range configs {
		for _, train := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s-%d-%d of %dx%d norm %s dropout %v train %v", cmp.Or(c.Network, model.WideResNet), c.Depth, c.Width, c.InC, c.Size, c.Norm, c.Dropout, train), func(t *testing.T) {
				p := newProbe(t, c, 4, train)
				p.value(t)
				grad := p.dev.New(backend.Image, p.x.Shape()...)
				p.net.InputGrad(grad, p.dlogit)
				p.compare(t, "image", p.x, grad, 1e-4)

				p.dev.Fill(p.net.Params.Grad, 0)
				p.value(t)
				p.net.ParamGrad(p.dlogit, nil)
				p.compare(t, "parameter", p.net.Params.Value, p.net.Params.Grad, 1e-5)
			})
		}
	}
}

func (p *probe) compare(t *testing.T, what string, target, grad backend.Tensor, h float32) {
	t.Helper()
	g := download(t, p.dev, grad)
	norm, dim := math.Sqrt(dot(g, g)), float64(len(g))
	v := p.dev.New(target.Kind(), target.Shape()...)
	for i := range 4 {
		p.dev.Normal(v, philox.New(uint64(10+i), 0, philox.Test), 0, 1)
		want := dot(g, download(t, p.dev, v))
		got := p.slope(t, target, v, h)
		if tol := 0.06 * norm; math.Abs(got-want) > tol {
			t.Errorf("%s gradient, direction %d: differences %g, inner product %g, |∇| %g over %g dimensions", what, i, got, want, norm, dim)
		}
	}
}

// Batches smaller than the planned one, and rows of a larger one, give the same logits as
// the whole: without batch norm samples do not influence each other.
func TestBatchesDoNotInfluenceSamples(t *testing.T) {
	c := configs[0]
	p := newProbe(t, c, 8, false)
	whole := download(t, p.dev, p.net.Forward(p.x, p.mode))
	for _, r := range [][2]int{{0, 1}, {3, 8}, {7, 8}} {
		part := download(t, p.dev, p.net.Forward(p.dev.Rows(p.x, r[0], r[1]), p.mode))
		for i, v := range part {
			if want := whole[r[0]*c.Classes+i]; v != want {
				t.Fatalf("rows %v: logit %d is %v, in the whole batch %v", r, i, v, want)
			}
		}
	}
}

// The joint head: ∂log p(x) is the softmax-weighted mean of ∂log p(x,y).
func TestLogDensityGradIsTheMeanOfJointGrads(t *testing.T) {
	c := configs[0]
	p := newProbe(t, c, 2, false)
	jem := model.NewJEM(p.dev, p.net)
	logits := download(t, p.dev, jem.Logits(p.x))
	g, labels := p.dev.New(backend.Image, p.x.Shape()...), p.dev.New(backend.Index, 2)
	pixels := backend.Len(g) / 2
	want := make([]float64, 2*pixels)
	for y := range c.Classes {
		p.dev.UploadIndex(labels, []int32{int32(y), int32(y)})
		jem.LogJointGrad(g, p.x, labels)
		for i, v := range download(t, p.dev, g) {
			row := logits[i/pixels*c.Classes : (i/pixels+1)*c.Classes]
			want[i] += math.Exp(float64(row[y])-model.LogSumExp(row)) * float64(v)
		}
	}
	jem.LogDensityGrad(g, p.x)
	var largest float64
	for _, v := range want {
		largest = max(largest, math.Abs(v))
	}
	for i, v := range download(t, p.dev, g) {
		// Each of the 11 gradients carries a relative rounding error of about 1e-6 of the largest entry.
		if math.Abs(float64(v)-want[i]) > 1e-5*largest {
			t.Fatalf("pixel %d: %v, mean of joint gradients %v", i, v, want[i])
		}
	}
}

// Parameter gradients are settled from the end towards the beginning: what is there when it is told is what there is
// at the end, and of what is not there yet nothing is.
func TestParamGradTellsHowFarItIs(t *testing.T) {
	for _, c := range configs {
		p := newProbe(t, c, 4, true)
		grad := p.net.Params.Grad
		p.dev.Fill(grad, 0)
		var offsets []int
		var seen [][]float32
		backend.Pass(p.dev, func() {
			p.value(t)
			p.net.ParamGrad(p.dlogit, func(from int) { offsets, seen = append(offsets, from), append(seen, download(t, p.dev, grad)) })
		})
		end := download(t, p.dev, grad)
		layers, what := 3*(c.Depth-4)/6+2, "the layers behind the blocks, each of these, the stem"
		if c.Network == model.MLP {
			layers, what = c.Depth+1, "each layer"
		}
		if len(offsets) != layers || !slices.IsSortedFunc(offsets, func(a, b int) int { return b - a }) || offsets[layers-1] != 0 {
			t.Errorf("%+v: settled from %v: want %d, %s", c, offsets, layers, what)
		}
		for i, from := range offsets {
			if !slices.Equal(seen[i][from:], end[from:]) || slices.ContainsFunc(seen[i][:from], func(v float32) bool { return v != 0 }) {
				t.Errorf("%+v: settled from %d, and yet other gradients came, or some were early", c, from)
			}
		}
	}
}

// The signs of the listed activations are those that the gradients use: a unit put on the
// other side of zero changes the gradient of the first layer, in each of them.
func TestGradientsUseTheSignsOfActivations(t *testing.T) {
	for _, norm := range []string{"none", "batch"} {
		p := newProbe(t, model.Config{Depth: 10, Width: 1, InC: 1, Size: 8, Classes: 3, Norm: norm, Slope: 0.2}, 2, false)
		p.net.Forward(p.x, p.mode)
		stem := p.net.Params.List[0].Grad
		gradient := func() []float32 {
			p.dev.Fill(p.net.Params.Grad, 0)
			p.net.ParamGrad(p.dlogit, nil)
			g := make([]float32, backend.Len(stem))
			if err := p.dev.Download(g, stem); err != nil {
				t.Fatal(err)
			}
			return g
		}
		all := p.net.Activations()
		if len(all) != 2*3+1 {
			t.Errorf("%s: %d activations, want two a block and the last", norm, len(all))
		}
		for i, a := range all {
			before := gradient()
			values := make([]float32, backend.Len(a))
			if err := p.dev.Download(values, a); err != nil {
				t.Fatal(err)
			}
			values[len(values)/2] *= -1
			p.dev.Upload(a, values)
			if slices.Equal(gradient(), before) {
				t.Errorf("%s: a sign of activation %d %v changes no gradient", norm, i, a.Shape())
			}
		}
	}
}

// TestGuidedIsBetweenJointAndMarginal: its gradient is (1+w)·∂log p(x,y) − w·∂log p(x); weight 0
// is p(x|y), bit for bit.
func TestGuidedIsBetweenJointAndMarginal(t *testing.T) {
	p := newProbe(t, configs[0], 2, false)
	jem := model.NewJEM(p.dev, p.net)
	g, labels := p.dev.New(backend.Image, p.x.Shape()...), p.dev.New(backend.Index, 2)
	p.dev.UploadIndex(labels, []int32{1, 0})
	jem.LogJointGrad(g, p.x, labels)
	joint := download(t, p.dev, g)
	jem.LogDensityGrad(g, p.x)
	marginal := download(t, p.dev, g)
	for _, w := range []float32{0, 0.5, 3} {
		model.Given{JEM: jem, Labels: labels, Climb: model.ClimbGuided(w)}.LogDensityGrad(g, p.x)
		var largest float64
		for i := range joint {
			largest = max(largest, math.Abs(float64(joint[i])), math.Abs(float64(marginal[i])))
		}
		for i, v := range download(t, p.dev, g) {
			want := float64(1+w)*float64(joint[i]) - float64(w)*float64(marginal[i])
			// Three gradients with a rounding error of about 1e-6 of the largest entry, weighted.
			if w == 0 && v != joint[i] || math.Abs(float64(v)-want) > 2*(1+2*float64(w))*1e-6*largest {
				t.Fatalf("weight %g, pixel %d: %v, want %v", w, i, v, want)
			}
		}
	}
}
