package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"jem/internal/settings"
)

// published are the sizes of the data sets known by name: training images and classes.
// A folder of the user's own images has neither before it is read.
var published = map[string]struct{ train, classes int }{
	"cifar10":       {50000, 10},
	"cifar100":      {50000, 100},
	"svhn":          {73257, 10},
	"mnist":         {60000, 10},
	"fashion-mnist": {60000, 10},
	"folder":        {},
}

// Validate checks a configuration as a whole, before any file or device is opened. Every
// fault is in the *settings.Error it returns, each with path, value and remedy.
func Validate(c Config) error {
	var v validator
	v.data(c)
	v.model(c.Model)
	v.objective(c.Objective)
	v.sampler(c)
	v.optim(c.Optim)
	v.loop(c)
	v.guard(c.Guard)
	v.device(c.Device)
	if len(v.faults) == 0 {
		return nil
	}
	return &settings.Error{Faults: v.faults}
}

// validator collects faults.
type validator struct{ faults []settings.Fault }

func (v *validator) fault(path, problem string, args ...any) {
	v.faults = append(v.faults, settings.Fault{Path: path, Problem: fmt.Sprintf(problem, args...)})
}

// oneOf wants a name from a list.
func (v *validator) oneOf(path, value string, names ...string) {
	if !slices.Contains(names, value) {
		v.fault(path, "unknown name %q: want %s", value, strings.Join(names, ", "))
	}
}

// atLeast wants a count of lo or more.
func (v *validator) atLeast(path string, value, lo int) {
	if value < lo {
		v.fault(path, "%d is below %d", value, lo)
	}
}

// bounds of a number: lo ≤ v ≤ hi, or < where open.
type bounds struct {
	lo, hi         float32
	openLo, openHi bool
}

var (
	positive    = bounds{lo: 0, hi: math.MaxFloat32, openLo: true}
	notNegative = bounds{lo: 0, hi: math.MaxFloat32}
	probability = bounds{lo: 0, hi: 1}
	fraction    = bounds{lo: 0, hi: 1, openHi: true}
	factor      = bounds{lo: 0, hi: 1, openLo: true}
)

func (b bounds) String() string {
	switch b {
	case positive:
		return "a number above 0"
	case notNegative:
		return "0 or a number above"
	}
	left, right := "[", "]"
	if b.openLo {
		left = "("
	}
	if b.openHi {
		right = ")"
	}
	return fmt.Sprintf("a number in %s%g,%g%s", left, b.lo, b.hi, right)
}

// within wants a number inside bounds; NaN is in none.
func (v *validator) within(path string, value float32, b bounds) {
	if value >= b.lo && value <= b.hi && !(b.openLo && value == b.lo) && !(b.openHi && value == b.hi) {
		return
	}
	v.fault(path, "%g: want %v", value, b)
}

func (v *validator) data(c Config) {
	d := c.Data
	names := []string{"cifar10", "cifar100", "svhn", "mnist", "fashion-mnist", "folder"}
	v.oneOf("data.name", d.Name, names...)
	v.atLeast("data.valid", d.Valid, 0)
	v.within("data.noise", d.Noise, notNegative)
	if d.Crop < 0 || d.Crop > 16 {
		v.fault("data.crop", "%d: want 0 (no crop) to 16 pixels, half an image", d.Crop)
	}
	if d.LabelsPerClass == 0 || d.LabelsPerClass < -1 {
		v.fault("data.labels_per_class", "%d: want 1 or more, or -1 for all", d.LabelsPerClass)
	}
	v.atLeast("data.limit", d.Limit, 0)
	n := published[d.Name].train
	if d.Limit > 0 {
		n = min(n, d.Limit)
	}
	if left := n - d.Valid; n > 0 && d.Valid >= 0 && left < c.Train.Batch {
		v.fault("train.batch", "%d, but only %d images are left to train on (%d, less data.valid = %d): lower train.batch or data.valid, or raise data.limit",
			c.Train.Batch, max(left, 0), n, d.Valid)
	}
}

func (v *validator) model(m Model) {
	if m.Depth < 10 || (m.Depth-4)%6 != 0 {
		v.fault("model.depth", "%d is not 6n+4: want 10, 16, 22, 28, …", m.Depth)
	}
	v.atLeast("model.width", m.Width, 1)
	v.oneOf("model.norm", m.Norm, "none", "batch", "instance", "layer")
	v.within("model.dropout", m.Dropout, fraction)
	v.within("model.slope", m.Slope, factor)
}

func (v *validator) objective(o Objective) {
	v.within("objective.p_x", o.PX, notNegative)
	v.within("objective.p_y_given_x", o.PYX, notNegative)
	v.within("objective.p_x_y", o.PXY, notNegative)
	v.within("objective.l2", o.L2, notNegative)
	if o.PX == 0 && o.PYX == 0 && o.PXY == 0 {
		v.fault("objective", "p_x, p_y_given_x and p_x_y are all 0, so there is nothing to train: give one of them a weight")
	}
}

func (v *validator) sampler(c Config) {
	s, o := c.Sampler, c.Objective
	v.atLeast("sampler.steps", s.Steps, 1)
	v.within("sampler.step_size", s.StepSize, positive)
	v.within("sampler.noise", s.Noise, notNegative)
	v.within("sampler.step_decay", s.StepDecay, factor)
	v.within("sampler.noise_decay", s.NoiseDecay, factor)
	v.within("sampler.grad_clip", s.GradClip, notNegative)
	v.within("sampler.reinit", s.Reinit, probability)
	v.oneOf("sampler.start", s.Start, "uniform", "gaussian")
	classes := max(1, published[c.Data.Name].classes)
	v.atLeast("sampler.buffer", s.Buffer, classes)
	if own := (o.ClassCond && o.PX > 0) || o.PXY > 0; own && s.Buffer >= classes && s.Buffer%classes != 0 {
		v.fault("sampler.buffer", "%d is no multiple of the %d classes, which share it equally: want %d", s.Buffer, classes, (s.Buffer/classes+1)*classes)
	}
}

func (v *validator) optim(o Optim) {
	v.oneOf("optim.name", o.Name, "adam", "sgd")
	v.within("optim.lr", o.LR, positive)
	v.within("optim.beta1", o.Beta1, fraction)
	v.within("optim.beta2", o.Beta2, fraction)
	v.within("optim.eps", o.Eps, positive)
	v.within("optim.momentum", o.Momentum, fraction)
	v.within("optim.weight_decay", o.WeightDecay, notNegative)
	v.atLeast("optim.warmup", o.Warmup, 0)
	for i, e := range o.DecayEpochs {
		if e < 1 || i > 0 && e <= o.DecayEpochs[i-1] {
			v.fault("optim.decay_epochs", "%v: want epochs from 1 in rising order", o.DecayEpochs)
			break
		}
	}
	v.within("optim.decay_rate", o.DecayRate, factor)
	v.within("optim.clip_norm", o.ClipNorm, notNegative)
	v.within("optim.ema", o.EMA, fraction)
}

func (v *validator) loop(c Config) {
	l := c.Train
	v.atLeast("train.batch", l.Batch, 1)
	v.atLeast("train.steps", l.Steps, 0)
	if l.Steps == 0 {
		v.atLeast("train.epochs", l.Epochs, 1)
	}
	v.atLeast("train.log_every", l.LogEvery, 1)
	v.atLeast("train.eval_every", l.EvalEvery, 0)
	v.atLeast("train.sample_every", l.SampleEvery, 0)
	v.atLeast("train.save_every", l.SaveEvery, 0)
	v.atLeast("train.keep_last", l.KeepLast, 1)
	v.atLeast("train.keep_every", l.KeepEvery, 0)
	v.within("train.max_loss", l.MaxLoss, positive)
}

func (v *validator) guard(g Guard) {
	v.within("guard.max_gap", g.MaxGap, notNegative)
	v.within("guard.max_log_px", g.MaxLogPx, notNegative)
	v.within("guard.max_grad", g.MaxGrad, notNegative)
	v.within("guard.max_pixel", g.MaxPixel, notNegative)
	v.within("guard.saturation", g.Saturation, factor)
	v.within("guard.spike", g.Spike, notNegative)
	v.atLeast("guard.window", g.Window, 2)
	v.atLeast("guard.budget", g.Budget, 0)
	v.atLeast("guard.period", g.Period, 0)
	v.atLeast("guard.suspect", g.Suspect, 0)
	v.within("guard.lr_factor", g.LRFactor, factor)
	v.atLeast("guard.extra_steps", g.ExtraSteps, 0)
}

func (v *validator) device(d Device) {
	v.oneOf("device.name", d.Name, "cpu", "cuda")
	v.oneOf("device.cpu_isa", d.ISA, "", "generic", "avx2", "avx512")
	v.atLeast("device.threads", d.Threads, 0)
}
