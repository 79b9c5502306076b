package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"jem/config/settings"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/imagefile"
	"jem/model"
	"jem/optim"
)

// Validate checks a configuration as a whole, before any file or device is opened. Every
// fault is in the *settings.Error it returns, each with path, value and remedy.
func Validate(c Config) error {
	var v validator
	v.data(c)
	v.outliers(c)
	v.model(c.Model)
	v.objective(c)
	v.sampler(c)
	v.recipe(c)
	v.optim(c.Optim)
	v.schedule(c)
	v.loop(c)
	v.guard(c.Guard)
	v.device(c.Device)
	return v.err()
}

// validator collects faults.
type validator struct{ faults []settings.Fault }

func (v *validator) err() error {
	if len(v.faults) == 0 {
		return nil
	}
	return &settings.Error{Faults: v.faults}
}

func (v *validator) fault(path, problem string, args ...any) {
	v.faults = append(v.faults, settings.Fault{Path: path, Problem: fmt.Sprintf(problem, args...)})
}

// oneOf wants a name from a list.
func (v *validator) oneOf(path, value string, names ...string) {
	if !slices.Contains(names, value) {
		v.fault(path, "unknown name %s: want %s", fault.Quote(value), strings.Join(names, ", "))
	}
}

// atLeast wants a count of lo or more.
func (v *validator) atLeast(path string, value, lo int) {
	if value < lo {
		v.fault(path, "%d is below %d", value, lo)
	}
}

// The largest counts that are taken. No run needs more; beyond them memory ends, and products
// of counts might wrap around.
const (
	maxDepth     = 1000
	maxWidth     = 64
	maxHidden    = 64      // layers
	maxUnits     = 1 << 14 // of each
	maxBatch     = 1 << 16
	maxThreads   = 1 << 12
	maxWorkspace = 1 << 20   // MiB
	maxImages    = 1 << 28   // of a buffer or a set
	maxCount     = 1<<31 - 1 // steps
)

// count wants a number in [lo,hi].
func (v *validator) count(path string, value, lo, hi int) {
	if value > hi {
		v.fault(path, "%d is above %d", value, hi)
	}
	v.atLeast(path, value, lo)
}

// bounds of a number: lo ≤ v ≤ hi, or < where open.
type bounds struct {
	lo, hi         float32
	openLo, openHi bool
}

var (
	positive    = bounds{lo: 0, hi: math.MaxFloat32, openLo: true}
	notNegative = bounds{lo: 0, hi: math.MaxFloat32}
	anyNumber   = bounds{lo: -math.MaxFloat32, hi: math.MaxFloat32}
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
	case anyNumber:
		return "a number"
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
	v.oneOf("data.name", d.Name, setNames()...)
	v.oneOf("data.ground", d.Ground, imagefile.Grounds...)
	v.count("data.valid", d.Valid, 0, maxImages)
	v.within("data.valid_share", d.ValidShare, fraction)
	if d.Valid > 0 && d.ValidShare > 0 {
		v.fault("data.valid_share", "%g, but data.valid holds out %d images already: set one of them to 0", d.ValidShare, d.Valid)
	}
	v.within("data.noise", d.Noise, notNegative)
	v.oneOf("data.strong", d.Strong, data.Strongs...)
	if strong := data.Strong(d.Strong); strong.Any() && d.SharedStream && c.Draws(StreamData) {
		v.fault("data.strong", "%s, but with data.shared_stream log p(x) would learn such images: set data.shared_stream=false, or data.strong=none", strong)
	}
	if d.LabelsPerClass == 0 || d.LabelsPerClass < -1 {
		v.fault("data.labels_per_class", "%d: want 1 or more, or -1 for all", d.LabelsPerClass)
	}
	if d.LabelsPerClass == 1 && c.FromGaussians() {
		v.fault("data.labels_per_class", "1, but images begin at their class's Gaussian (sampler.start, attack or dream), which takes 2 labelled images: raise it, or let them begin at uniform")
	}
	v.count("data.limit", d.Limit, 0, maxImages)
	v.pictures(d)
	published, _ := data.Lookup(d.Name) // none: a folder of the user's, not read yet
	n := published.Images
	if d.Limit > 0 {
		n = min(n, d.Limit)
	}
	if n > 0 && d.Valid >= 0 && c.Train.Labeled() > 0 {
		v.enough(c, n)
		v.phases(c, c.TotalSteps(c.StepsPerEpoch(n)))
	}
}

// setNames are the sets that data.name may name.
func setNames() (names []string) {
	for _, l := range data.List() {
		names = append(names, l.Name)
	}
	return append(names, data.Folder)
}

// pictures checks what is done to the pictures of a folder, and to all images.
func (v *validator) pictures(d Data) {
	if d.Name != data.Folder && (d.Size != 0 || d.Grey) {
		v.fault("data.size", "data.size and data.grey are for pictures of your own: set data.name to folder, or leave them out")
	}
	side := d.Side()
	if side == 0 {
		side = data.MaxSide // theirs is not known yet
	}
	if d.Size < 0 || d.Size%8 != 0 || d.Size > data.MaxSide {
		v.fault("data.size", "%d: want a multiple of 8 up to %d, or 0 for pictures that all have such a size", d.Size, data.MaxSide)
	}
	if d.Crop < 0 || d.Crop > side/2 {
		v.fault("data.crop", "%d: want 0 (no crop) to %d pixels, half an image", d.Crop, side/2)
	}
}

// enough wants a batch of images left of n to train on.
func (v *validator) enough(c Config, n int) {
	held := c.Data.Held(n)
	left, path, batch := max(n-held, 0), "train.batch", c.Train.Batch
	if c.Train.Labeled() > batch {
		path, batch = "train.labeled_batch", c.Train.LabeledBatch
	}
	if left < batch {
		v.fault(path, "%d, but only %d images are left to train on (%d, less %d held out): lower %s, data.valid or data.valid_share, or raise data.limit",
			batch, left, n, held, path)
	}
}

func (v *validator) model(m Model) {
	v.oneOf("model.network", m.Network, model.Networks...)
	if m.Network == model.MLP {
		v.mlp(m)
	} else {
		v.wideResNet(m)
	}
	v.within("model.dropout", m.Dropout, fraction)
	v.within("model.slope", m.Slope, factor)
}

func (v *validator) wideResNet(m Model) {
	if m.Depth < 10 || (m.Depth-4)%6 != 0 {
		v.fault("model.depth", "%d is not 6n+4: want 10, 16, 22, 28, …", m.Depth)
	} else {
		v.count("model.depth", m.Depth, 10, maxDepth)
	}
	v.count("model.width", m.Width, 1, maxWidth)
	v.oneOf("model.norm", m.Norm, model.Norms...)
}

func (v *validator) mlp(m Model) {
	v.count("model.depth", m.Depth, 1, maxHidden)
	v.count("model.width", m.Width, 1, maxUnits)
	if m.Norm != "none" {
		v.fault("model.norm", "%s, but a network with model.network=mlp has no norms: set it to none", fault.Quote(m.Norm))
	}
}

func (v *validator) objective(c Config) {
	o := c.Objective
	v.within("objective.p_x", o.PX, notNegative)
	v.within("objective.p_y_given_x", o.PYX, notNegative)
	v.within("objective.p_x_y", o.PXY, notNegative)
	v.within("objective.l2", o.L2, notNegative)
	v.within("objective.attacked", o.Attacked, notNegative)
	v.within("objective.attacked_p_x", o.AttackedPX, anyNumber)
	v.within("objective.bce", o.BCE, notNegative)
	ever := c.Ever()
	if o := ever.Objective; o.PX == 0 && o.PYX == 0 && o.PXY == 0 && o.Attacked == 0 && o.BCE == 0 {
		v.fault("objective", "p_x, p_y_given_x, p_x_y, attacked and bce are all 0, so there is nothing to train: give one of them a weight")
	}
}

func (v *validator) sampler(c Config) {
	s, ever := c.Sampler, c.Ever()
	v.count("sampler.steps", s.Steps, 1, maxCount)
	v.within("sampler.step_size", s.StepSize, positive)
	v.within("sampler.noise", s.Noise, notNegative)
	v.within("sampler.step_decay", s.StepDecay, factor)
	v.within("sampler.noise_decay", s.NoiseDecay, factor)
	v.within("sampler.grad_clip", s.GradClip, notNegative)
	v.within("sampler.reinit", s.Reinit, probability)
	v.oneOf("sampler.start", s.Start, "uniform", "gaussian")
	published, _ := data.Lookup(c.Data.Name)
	v.buffer(s, ever.Objective, max(1, len(published.Classes)))
}

// buffer wants room for every class.
func (v *validator) buffer(s Sampler, o Objective, classes int) {
	v.count("sampler.buffer", s.Buffer, classes, maxImages)
	if own := (o.ClassCond && o.PX > 0) || o.PXY > 0; own && s.Buffer >= classes && s.Buffer%classes != 0 {
		v.fault("sampler.buffer", "%d is no multiple of the %d classes, which share it equally: want %d", s.Buffer, classes, (s.Buffer/classes+1)*classes)
	}
}

func (v *validator) optim(o Optim) {
	v.oneOf("optim.name", o.Name, optim.Names...)
	v.within("optim.lr", o.LR, positive)
	v.within("optim.beta1", o.Beta1, fraction)
	v.within("optim.beta2", o.Beta2, fraction)
	v.within("optim.eps", o.Eps, positive)
	v.within("optim.momentum", o.Momentum, fraction)
	v.within("optim.weight_decay", o.WeightDecay, notNegative)
	v.count("optim.warmup", o.Warmup, 0, maxCount)
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
	v.count("train.batch", l.Batch, 1, maxBatch)
	v.count("train.labeled_batch", l.LabeledBatch, 0, maxBatch)
	ever := c.Ever()
	switch other := l.Labeled() != l.Batch; {
	case other && ever.Objective.PXY != 0:
		v.fault("train.labeled_batch", "%d, but log p(x,y) (objective.p_x_y) takes a chain for each labelled image, and train.batch says how many chains there are: leave it at 0, or set objective.p_x_y=0", l.LabeledBatch)
	case other && c.Data.SharedStream:
		v.fault("train.labeled_batch", "%d, but with data.shared_stream the %d images of train.batch are the labelled ones: leave it at 0, or set data.shared_stream=false", l.LabeledBatch, l.Batch)
	}
	v.count("train.steps", l.Steps, 0, maxCount)
	if l.Steps == 0 {
		v.count("train.epochs", l.Epochs, 1, maxCount)
	}
	v.count("train.log_every", l.LogEvery, 1, maxCount)
	v.count("train.eval_every", l.EvalEvery, 0, maxCount)
	v.count("train.sample_every", l.SampleEvery, 0, maxCount)
	v.count("train.save_every", l.SaveEvery, 0, maxCount)
	v.count("train.test_limit", l.TestLimit, 0, maxImages)
	v.oneOf("train.best", l.Best, BestAccuracy, BestNLL)
	v.count("train.keep_last", l.KeepLast, 1, maxCount)
	v.count("train.keep_every", l.KeepEvery, 0, maxCount)
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
	v.count("device.threads", d.Threads, 0, maxThreads)
	v.oneOf("device.conv_algo", d.ConvAlgo, "auto", "direct", "winograd")
	v.oneOf("device.precision", d.Precision, "fp32", "tf32", "bf16")
	if d.Name == "cpu" && d.Precision == "tf32" {
		v.fault("device.precision", "tf32 is for --device cuda: the CPU computes in fp32 or bf16")
	}
	v.oneOf("device.precision_scope", d.PrecisionScope, "chain", "all")
	v.oneOf("device.conv_engine", d.ConvEngine, "auto", "graph", "legacy")
	v.count("device.workspace_limit", d.WorkspaceLimit, 1, maxWorkspace)
}

// CheckImages checks what Validate can't know before the images were read: settings against
// the number of training images and classes, and their side in pixels.
func (c *Config) CheckImages(images, classes, side int) error {
	var v validator
	ever := c.Ever()
	v.buffer(c.Sampler, ever.Objective, classes)
	if c.Data.Crop >= side {
		v.fault("data.crop", "%d: images of %d pixels allow 0 to %d", c.Data.Crop, side, side-1)
	}
	v.enough(*c, images)
	v.phases(*c, c.TotalSteps(c.StepsPerEpoch(images)))
	return v.err()
}
