package backendtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/backendtest"
	"jem/backend/cpu"
	"jem/backend/philox"
)

func open(t *testing.T) backend.Device {
	d, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// poke adds v to one element of a tensor.
func poke(d backend.Device, t backend.Tensor, i int, v float32) {
	x := make([]float32, backend.Len(t))
	if err := d.Download(x, t); err != nil {
		panic(err)
	}
	x[i] += v
	d.Upload(t, x)
}

// The devices below are the CPU's with one slip each that somebody could make.

type axpyAssigns struct{ backend.Device }

func (d axpyAssigns) Axpy(y backend.Tensor, a float32, x backend.Tensor) {
	d.Fill(y, 0)
	d.Device.Axpy(y, a, x)
}

type axpyForgetsLast struct{ backend.Device }

func (d axpyForgetsLast) Axpy(y backend.Tensor, a float32, x backend.Tensor) {
	v := make([]float32, backend.Len(y))
	if err := d.Download(v, y); err != nil {
		panic(err)
	}
	d.Device.Axpy(y, a, x)
	w := make([]float32, len(v))
	if err := d.Download(w, y); err != nil {
		panic(err)
	}
	w[len(w)-1] = v[len(w)-1]
	d.Upload(y, w)
}

type axpyIgnoresShapes struct{ backend.Device }

func (d axpyIgnoresShapes) Axpy(y backend.Tensor, a float32, x backend.Tensor) {
	if backend.Len(x) == backend.Len(y) {
		d.Device.Axpy(y, a, x)
	}
}

type noiseHasState struct {
	backend.Device
	calls *int
}

func (d noiseHasState) Normal(dst backend.Tensor, key philox.Key, mean, std float32) {
	*d.calls++
	d.Device.Normal(dst, key.At(*d.calls, 0), mean, std)
}

type noiseTooWide struct{ backend.Device }

// replaysOldKey runs every chain with the first run's key.
type replaysOldKey struct{ backend.Device }

func (d replaysOldKey) NewChain(steps int, step func(int, philox.Key)) backend.Chain {
	return &oldKeyChain{PlainChain: backend.PlainChain{Steps: steps, Step: step}}
}

type oldKeyChain struct {
	backend.PlainChain
	key philox.Key
	ran bool
}

func (c *oldKeyChain) Run(key philox.Key) {
	if !c.ran {
		c.key, c.ran = key, true
	}
	c.PlainChain.Run(c.key)
}

func (d noiseTooWide) SGLDStep(x, g backend.Tensor, key philox.Key, p backend.SGLD) {
	p.Noise *= math.Sqrt2 // the square root of 2α, as in the textbook
	d.Device.SGLDStep(x, g, key, p)
}

type sgldDescends struct{ backend.Device }

func (d sgldDescends) SGLDStep(x, g backend.Tensor, key philox.Key, p backend.SGLD) {
	p.StepSize = -p.StepSize
	d.Device.SGLDStep(x, g, key, p)
}

type clipsAfterScaling struct{ backend.Device }

func (d clipsAfterScaling) SGLDStep(x, g backend.Tensor, key philox.Key, p backend.SGLD) {
	if p.StepSize != 0 {
		p.GradClip /= p.StepSize
	}
	d.Device.SGLDStep(x, g, key, p)
}

// signBySize moves by the gradient itself.
type signBySize struct{ backend.Device }

func (d signBySize) SignStep(x, g backend.Tensor, a float32) { d.Axpy(x, a, g) }

// unitOfBatch takes one norm for all images; unitInFloat32 takes each in float32.
type unitOfBatch struct{ backend.Device }

func (d unitOfBatch) UnitStep(x, g backend.Tensor, a float32) { alongNorm(d, x, g, a, 1) }

type unitInFloat32 struct{ backend.Device }

func (d unitInFloat32) UnitStep(x, g backend.Tensor, a float32) {
	alongNorm(d, x, g, a, x.Shape()[0])
}

func alongNorm(d backend.Device, x, g backend.Tensor, a float32, rows int) {
	v, w := make([]float32, backend.Len(x)), make([]float32, backend.Len(x))
	if err := errors.Join(d.Download(v, x), d.Download(w, g)); err != nil {
		panic(err)
	}
	row := len(v) / rows
	for n := range rows {
		var sum float32
		for _, g := range w[n*row : (n+1)*row] {
			sum += g * g
		}
		for i := n * row; i < (n+1)*row && sum > 0; i++ {
			v[i] += a * w[i] / float32(math.Sqrt(float64(sum)))
		}
	}
	d.Upload(x, v)
}

type forgetsRange struct{ backend.Device }

func (d forgetsRange) Project(x, c backend.Tensor, b backend.Ball) {
	b.Lo, b.Hi = 0, 0
	d.Device.Project(x, c, b)
}

// firstCentre projects, in chains, around what a centre held in the first run.
type firstCentre struct {
	backend.Device
	kept    map[backend.Tensor]backend.Tensor
	chained bool
}

func (d *firstCentre) Project(x, c backend.Tensor, b backend.Ball) {
	if !d.chained {
		d.Device.Project(x, c, b)
		return
	}
	if d.kept[c] == nil {
		d.kept[c] = d.New(c.Kind(), c.Shape()...)
		d.Copy(d.kept[c], c)
	}
	d.Device.Project(x, d.kept[c], b)
}

func (d *firstCentre) NewChain(steps int, step func(int, philox.Key)) backend.Chain {
	return &staleChain{backend.PlainChain{Steps: steps, Step: step}, d}
}

type staleChain struct {
	backend.PlainChain
	d *firstCentre
}

func (c *staleChain) Run(key philox.Key) {
	c.d.chained = true
	c.PlainChain.Run(key)
	c.d.chained = false
}

// noDreams leaves out the logistic function.
type noDreams struct{ backend.Device }

func (d noDreams) LogitGrad(dlogits, logits, labels, coef backend.Tensor) {
	c := make([]float32, backend.Len(coef))
	if err := d.Download(c, coef); err != nil {
		panic(err)
	}
	for i := 3; i < len(c); i += 4 {
		c[i] = 0
	}
	three := d.New(backend.Dense, coef.Shape()...)
	d.Upload(three, c)
	d.Device.LogitGrad(dlogits, logits, labels, three)
}

type forgetsFactor struct{ backend.Device }

func (d forgetsFactor) ProductSquares(dst, x, y backend.Tensor) { d.SumSquares(dst, x) }

// movesAnyway moves running statistics whenever the batch's own are used.
type movesAnyway struct{ backend.Device }

func (d movesAnyway) NewNorm(s backend.NormSpec, gamma, beta, mean, variance backend.Tensor) backend.Norm {
	return movingNorm{d.Device.NewNorm(s, gamma, beta, mean, variance)}
}

type movingNorm struct{ backend.Norm }

func (n movingNorm) Forward(y, x backend.Tensor, mode backend.NormMode) {
	if mode == backend.BatchStats {
		mode = backend.MovingStats
	}
	n.Norm.Forward(y, x, mode)
}

type adamForgetsCorrection struct{ backend.Device }

func (d adamForgetsCorrection) AdamStep(p, g, m, v backend.Tensor, h backend.Adam) {
	h.Step = 1 << 20
	d.Device.AdamStep(p, g, m, v, h)
}

type momentumKept struct{ backend.Device }

func (d momentumKept) SGDStep(p, g, m backend.Tensor, h backend.SGD) {
	h.First = false
	d.Device.SGDStep(p, g, m, h)
}

type headGradAssigns struct{ backend.Device }

func (d headGradAssigns) LinearParamGrad(dw, db, x, dy backend.Tensor) {
	d.Fill(db, 0)
	d.Device.LinearParamGrad(dw, db, x, dy)
}

type changesInput struct{ backend.Device }

func (d changesInput) AvgPool(y, x backend.Tensor) {
	d.Device.AvgPool(y, x)
	poke(d, x, 0, 1)
}

type staleWeights struct{ backend.Device }

func (d staleWeights) ParamsChanged() {}

type deviceTrouble struct{ backend.Device }

func (d deviceTrouble) Sync() error { return errors.New("lost") }

// meanOff gets one mean wrong.
type meanOff struct {
	backend.Device
	backend.Windower
}

func (d meanOff) MeanPool(y, x backend.Tensor, w backend.Window) {
	d.Windower.MeanPool(y, x, w)
	poke(d, y, 0, 0.01)
}

type panics struct{ backend.Device }

func (d panics) RowNorm(dst, x backend.Tensor) { panic("not written yet") }

// convSlip replaces single verbs of a convolution.
type convSlip struct {
	backend.Conv
	d    backend.Device
	slip string
}

type convDevice struct {
	backend.Device
	slip string
}

func (d convDevice) NewConv(s backend.ConvSpec, w, b backend.Tensor) backend.Conv {
	return convSlip{d.Device.NewConv(s, w, b), d.Device, d.slip}
}

func (c convSlip) Forward(raw, act, x, residual backend.Tensor) {
	if c.slip == "ignores the residual" {
		residual = nil
	}
	c.Conv.Forward(raw, act, x, residual)
	if c.slip == "forgets one product" && raw != nil {
		poke(c.d, raw, backend.Len(raw)-1, 0.01) // of terms around 0.25
	}
}

func (c convSlip) InputGrad(dx, dy, act, residual backend.Tensor) {
	if c.slip == "ignores act" {
		act = nil
	}
	c.Conv.InputGrad(dx, dy, act, residual)
	if c.slip == "InputGrad misses an image" {
		row := make([]float32, backend.Len(dx)/dx.Shape()[0])
		c.d.UploadRows(dx, []int{dx.Shape()[0] - 1}, row)
	}
}

func (c convSlip) ParamGrad(dw, db, x, dy backend.Tensor) {
	if c.slip == "ParamGrad assigns" {
		c.d.Fill(dw, 0)
	}
	c.Conv.ParamGrad(dw, db, x, dy)
}

// passesTwice makes the calls of a pass twice.
type passesTwice struct{ backend.Device }

func (d passesTwice) Pass(f func()) { f(); f() }

func (d passesTwice) NewWorking(kind backend.Kind, shape ...int) backend.Tensor {
	return d.New(kind, shape...)
}

// workingMixes gives all working memory of one shape the same place.
type workingMixes struct {
	backend.Device
	by map[string]backend.Tensor
}

func (d *workingMixes) Pass(f func()) { f() }

func (d *workingMixes) NewWorking(kind backend.Kind, shape ...int) backend.Tensor {
	name := fmt.Sprint(kind, shape)
	if d.by[name] == nil {
		d.by[name] = d.New(kind, shape...)
	}
	return d.Rows(d.by[name], 0, shape[0])
}

// TestSuiteNotices puts devices with one slip each to the suite: a suite that passes
// whatever it is given is worth nothing.
func TestSuiteNotices(t *testing.T) {
	good := open(t)
	for _, tc := range []struct {
		slip  string
		dev   backend.Device
		check string // one that must fail
	}{
		{"Axpy assigns", axpyAssigns{good}, "pointwise/axpy"},
		{"Axpy forgets the last element", axpyForgetsLast{good}, "pointwise/axpy"},
		{"Axpy returns on wrong shapes", axpyIgnoresShapes{good}, "mistakes/panic_with_operation_and_shapes"},
		{"Normal keeps state", noiseHasState{good, new(int)}, "random/keys"},
		{"noise of variance 2σ²", noiseTooWide{good}, "chain/gaussian_target"},
		{"SGLD descends", sgldDescends{good}, "chain/gaussian_target"},
		{"chains replayed with an old key", replaysOldKey{good}, "chain/planned"},
		{"chains replayed from an old block", replaysOldOffset{good}, "chain/offset"},
		{"Uniform begins with number 0", offsetSlip{good, "Uniform", 0}, "random/offset"},
		{"Normal begins with number 0", offsetSlip{good, "Normal", 0}, "random/offset"},
		{"Dropout begins with number 0", offsetSlip{good, "Dropout", 0}, "random/offset"},
		{"SGLD begins with number 0", offsetSlip{good, "SGLDStep", 0}, "random/offset"},
		{"SGLD begins within 2³² blocks", offsetSlip{good, "SGLDStep", 1<<32 - 1}, "random/offset"},
		{"SGLD clips α times the gradient", clipsAfterScaling{good}, "update/sgld_step"},
		{"SignStep by the gradient's size", signBySize{good}, "moves/sign_step"},
		{"UnitStep of the batch as a whole", unitOfBatch{good}, "moves/unit_step"},
		{"UnitStep with norms in float32", unitInFloat32{good}, "moves/unit_step_extremes"},
		{"Project forgets the range", forgetsRange{good}, "moves/project_linf"},
		{"Project around an old centre", &firstCentre{Device: good, kept: map[backend.Tensor]backend.Tensor{}}, "chain/moves"},
		{"LogitGrad without the fourth coefficient", noDreams{good}, "head/logit_grad"},
		{"ProductSquares of one factor", forgetsFactor{good}, "head/product_squares"},
		{"BatchStats moves the running ones", movesAnyway{good}, "norm/batch_modes"},
		{"Adam without bias correction", adamForgetsCorrection{good}, "update/adam"},
		{"SGD reads the unset momentum", momentumKept{good}, "update/sgd"},
		{"LinearParamGrad assigns db", headGradAssigns{good}, "head/linear_param_grad"},
		{"AvgPool changes its input", changesInput{good}, "head/avg_pool"},
		{"passes are made twice", passesTwice{good}, "pass/gradients"},
		{"a repeated pass isn't made again", repeatsStale{good}, "pass/repeated"},
		{"working memory is mixed up", &workingMixes{good, map[string]backend.Tensor{}}, "pass/input_gradient"},
		{"ParamsChanged does nothing", staleWeights{good}, "conv/params_changed"},
		{"Sync reports trouble", deviceTrouble{good}, "memory/fill"},
		{"MeanPool gets one mean wrong", meanOff{good, good.(backend.Windower)}, "window/mean_pool"},
		{"RowNorm panics", panics{good}, "head/row_norm"},
		{"the residual is ignored", convDevice{good, "ignores the residual"}, "conv/forward_3to5_k3s1p1_5x7_n3"},
		{"a product is forgotten", convDevice{good, "forgets one product"}, "conv/forward_64to64_k3s1p1_8x8_n3"},
		{"act is ignored", convDevice{good, "ignores act"}, "conv/input_grad_3to5_k3s1p1_5x7_n3"},
		{"InputGrad misses an image", convDevice{good, "InputGrad misses an image"}, "adjoint/32to32_k3s1_32x32"},
		{"ParamGrad assigns", convDevice{good, "ParamGrad assigns"}, "conv/param_grad_1to1_k1s1p0_1x1_n1"},
	} {
		t.Run(tc.slip, func(t *testing.T) {
			for dev, want := range map[backend.Device]bool{good: true, tc.dev: false} {
				report := backendtest.Suite(dev, backendtest.Options{Only: tc.check, Short: true})
				i := slices.IndexFunc(report.Results, func(r backendtest.Result) bool { return r.Path() == tc.check })
				if i < 0 {
					t.Fatalf("no check is named %s", tc.check)
				}
				if got := report.Results[i].Passed; got != want {
					t.Errorf("%s: passed = %v, want %v: %s", tc.check, got, want, report.Results[i].Message)
				}
			}
		})
	}
}

func TestReportIsJSON(t *testing.T) {
	report := backendtest.Suite(axpyAssigns{open(t)}, backendtest.Options{Only: "pointwise/", Lacks: []string{"pointwise/lerp"}})
	data, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var back backendtest.Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	failures := back.Failures()
	if back.Passed() || len(failures) != 1 || failures[0].Path() != "pointwise/axpy" || failures[0].Ratio <= 1 {
		t.Errorf("failures %+v, want one of pointwise/axpy", failures)
	}
	lacking := slices.IndexFunc(back.Results, func(r backendtest.Result) bool { return r.Lacking })
	if lacking < 0 || back.Results[lacking].Path() != "pointwise/lerp" {
		t.Errorf("lerp is not reported as lacking: %+v", back.Results)
	}
}

func TestStaleLackFails(t *testing.T) {
	report := backendtest.Suite(open(t), backendtest.Options{Only: "pointwise/axpy", Lacks: []string{"conv/no_such_check"}})
	if f := report.Failures(); len(f) != 1 || !strings.Contains(f[0].Message, "no_such_check") {
		t.Errorf("failures %+v, want the unknown check named", f)
	}
}

func TestCheckNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range backendtest.Checks() {
		if seen[c.Path()] || strings.ContainsAny(c.Path(), " \t") {
			t.Errorf("check %q: taken already, or holds a space", c.Path())
		}
		seen[c.Path()] = true
	}
}

// The published network's cost per picture (multiply-adds of the convolutions, borders
// included) and its number of convolutions: 6n+4 layers less the linear one, plus a
// shortcut a stage that changes size or channels.
func TestNetworkConvs(t *testing.T) {
	for _, tc := range []struct {
		depth, width, convs int
		gmac                float64
	}{
		{28, 10, 28, 5.95}, {28, 2, 28, 0.243}, {16, 2, 16, 0.129}, {10, 2, 10, 0.073}, {10, 1, 9, 0.020},
	} {
		convs, macs := 0, 0.0
		for _, c := range backendtest.NetworkConvs(tc.depth, tc.width, 3, 32, 1) {
			convs += c.Count
			macs += float64(c.Count) * c.Spec.MACs(1)
		}
		if convs != tc.convs || math.Abs(macs/1e9-tc.gmac) > 0.005 {
			t.Errorf("WRN-%d-%d: %d convolutions, %.4f GMAC, want %d and %.3f", tc.depth, tc.width, convs, macs/1e9, tc.convs, tc.gmac)
		}
	}
}
