package config

import (
	"cmp"
	"math"

	"jem/internal/data"
	"jem/internal/imagefile"
)

// Config is everything that decides the outcome of a run. It is resolved from a preset,
// files and --set options (config/settings), validated whole before any device is
// opened, and saved as config.yaml in the run folder.
//
// YAML keys are the option paths: train.batch, sampler.steps, …
type Config struct {
	Seed      uint64    `yaml:"seed"`
	Data      Data      `yaml:"data"`
	Outliers  Outliers  `yaml:"outliers"`
	Model     Model     `yaml:"model"`
	Objective Objective `yaml:"objective"`
	Sampler   Sampler   `yaml:"sampler"`
	Attack    Negative  `yaml:"attack"`
	Dream     Negative  `yaml:"dream"`
	Optim     Optim     `yaml:"optim"`
	SAM       SAM       `yaml:"sam"`
	Train     Loop      `yaml:"train"`
	Guard     Guard     `yaml:"guard"`
	Device    Device    `yaml:"device"`
}

// Data names the images and what is done to them before the network sees them.
type Data struct {
	Name           string  `yaml:"name"`             // cifar10, cifar100, svhn, mnist, fashion-mnist, shapes (drawn by the program), folder (of your own pictures)
	Dir            string  `yaml:"dir"`              // folder of the published files, empty: search the usual places; or of your own pictures
	Size           int     `yaml:"size"`             // pictures of a folder are cut to their central square and resized to so many pixels; 0: all have one size
	Grey           bool    `yaml:"grey"`             // pictures of a folder become grey
	Ground         string  `yaml:"ground"`           // what transparent pixels of pictures lie on: white, black; stored: the colours stored there
	SkipBad        bool    `yaml:"skip_bad"`         // pictures that can't be read are passed over, with a note; otherwise they end the run before it begins
	Valid          int     `yaml:"valid"`            // images held out for validation (official n_valid)
	ValidShare     float32 `yaml:"valid_share"`      // share of the images held out instead, where data.valid is 0
	ByClass        bool    `yaml:"by_class"`         // of a folder: images held out and data.limit are taken from each class alike, and images in val are the validation set
	Noise          float32 `yaml:"noise"`            // std of the Gaussian noise added to [-1,1] pixels (official sigma)
	EvalNoise      bool    `yaml:"eval_noise"`       // add it at evaluation too, as the official code does
	Crop           int     `yaml:"crop"`             // reflect padding of the random crop; 0: no crop
	Flip           bool    `yaml:"flip"`             // random horizontal flip
	Strong         string  `yaml:"strong"`           // what labelled images undergo besides: none; cutout (a grey hole); autoaugment (AutoAugment's policy for CIFAR-10, then a hole)
	LabelsPerClass int     `yaml:"labels_per_class"` // labelled images a class; -1: all
	SharedStream   bool    `yaml:"shared_stream"`    // one batch serves log p(x) and log p(y|x); official: two
	CleanPX        bool    `yaml:"clean_px"`         // no augmentation and noise on the p(x) stream (SADA-JEM)
	Limit          int     `yaml:"limit"`            // use only so many training images, those held out among them: the first ones, or of a folder see by_class; 0: all
}

// Outliers are images of no class that negatives may start at. They are cropped and flipped as the training
// images are, and have no pixel noise.
type Outliers struct {
	Name      string  `yaml:"name"`      // another set (svhn, textures, …) or folder, brought to the run's size and channels; or made of its training images: shuffled, blurred, mixed, distorted; empty: none
	Dir       string  `yaml:"dir"`       // folder of pictures, with or without sub-folders; or of a set's files, empty: beside data.dir and in the usual places
	Distorted float32 `yaml:"distorted"` // share of another set's images that are shuffled, blurred or mixed first
}

// Model is the network's kind, size and options.
type Model struct {
	Network string  `yaml:"network"` // wide-resnet (the paper's), mlp (a multilayer perceptron over the pixels)
	Depth   int     `yaml:"depth"`   // 6n+4; hidden layers of an mlp
	Width   int     `yaml:"width"`   // widen factor; units of each hidden layer of an mlp
	Norm    string  `yaml:"norm"`    // none, batch, instance, layer; none for an mlp
	Dropout float32 `yaml:"dropout"` // rate within each block, behind each hidden layer
	Slope   float32 `yaml:"slope"`   // LeakyReLU
	Centre  bool    `yaml:"centre"`  // class biases begin at -log K, so that log p(x) begins near 0; else near log K
}

// Objective weighs the terms of the loss (official p_x_weight …).
type Objective struct {
	PX         float32 `yaml:"p_x"`          // log p(x)
	PYX        float32 `yaml:"p_y_given_x"`  // log p(y|x)
	PXY        float32 `yaml:"p_x_y"`        // log p(x,y)
	L2         float32 `yaml:"l2"`           // penalty λ·mean(log p(x)²) over data and samples
	ClassCond  bool    `yaml:"class_cond"`   // p(x) samples climb f(x)[y] with y uniform (class_cond_p_x_sample)
	Attacked   float32 `yaml:"attacked"`     // log p(y|x) of attacked images: adversarial training
	AttackedPX float32 `yaml:"attacked_p_x"` // log p(x) of data against attacked images (EB-JDAT); below 0 it brings them together
	BCE        float32 `yaml:"bce"`          // data told from dreams by log p(x) as a logit (DAT)
}

// Sampler is SGLD and the replay buffer.
type Sampler struct {
	Steps      int     `yaml:"steps"`       // K (official n_steps)
	StepSize   float32 `yaml:"step_size"`   // α (sgld_lr)
	Noise      float32 `yaml:"noise"`       // σ (sgld_std)
	StepDecay  float32 `yaml:"step_decay"`  // α of step k is α·decay^k; 1: constant
	NoiseDecay float32 `yaml:"noise_decay"` // the same for σ
	GradClip   float32 `yaml:"grad_clip"`   // 0: off
	Clamp      bool    `yaml:"clamp"`       // pixels kept in [-1,1]
	Buffer     int     `yaml:"buffer"`      // images (buffer_size)
	Reinit     float32 `yaml:"reinit"`      // probability of a fresh start (reinit_freq)
	Start      string  `yaml:"start"`       // uniform, gaussian (per class)
	BatchStats bool    `yaml:"batch_stats"` // batch norms use each batch's own statistics in chains (JEM++); else the running ones
}

// Negative says how a step makes images of its present model besides the chains: attacked images, and
// dreams. Pixels are in [-1,1], so lengths are twice those of pixels in [0,1].
type Negative struct {
	Start      string  `yaml:"start"`       // labeled, data, outliers (images of that stream); uniform, gaussian (per class)
	Gaussians  float32 `yaml:"gaussians"`   // share of the images that begin at their class's Gaussian instead
	Scatter    bool    `yaml:"scatter"`     // begin at a random place of the ball
	Label      string  `yaml:"label"`       // their classes: labeled, data (those of the stream's images), uniform
	Climb      string  `yaml:"climb"`       // what they ascend: log_px, logit (of their class), cross_entropy (away from it), energy
	Move       string  `yaml:"move"`        // sign (of each pixel's gradient), unit (along the image's gradient), langevin
	Steps      int     `yaml:"steps"`       // moves
	StepSize   float32 `yaml:"step_size"`   // of a move: sign in pixel values, unit the length over all pixels, langevin α
	Noise      float32 `yaml:"noise"`       // σ of langevin
	GradClip   float32 `yaml:"grad_clip"`   // of langevin; 0: off
	Keep       string  `yaml:"keep"`        // where they stay after each move: box (pixels in [-1,1]), linf, l2 (that, and a ball around the start), all
	Radius     float32 `yaml:"radius"`      // of the ball
	BatchStats bool    `yaml:"batch_stats"` // as sampler.batch_stats
	MaxSteps   int     `yaml:"max_steps"`   // moves grow to so many, one at a time, whenever log p(x) tells data from them; 0: constant
	AUC        float32 `yaml:"auc"`         // mean AUROC from which it does
	Window     int     `yaml:"window"`      // steps over which that is taken
}

// SAM is sharpness-aware minimisation: the gradient is taken where the loss is worst near the weights.
type SAM struct {
	Rho      float32 `yaml:"rho"`      // radius of the ball of weights; 0: off
	Adaptive bool    `yaml:"adaptive"` // measured relative to each weight's size (ASAM)
	Every    int     `yaml:"every"`    // steps between such gradients; the others are plain
}

// Optim is the optimiser and its schedule.
type Optim struct {
	Name        string  `yaml:"name"` // adam, sgd
	LR          float32 `yaml:"lr"`
	Beta1       float32 `yaml:"beta1"`
	Beta2       float32 `yaml:"beta2"`
	Eps         float32 `yaml:"eps"`
	Momentum    float32 `yaml:"momentum"`
	WeightDecay float32 `yaml:"weight_decay"`
	Warmup      int     `yaml:"warmup"`       // steps of linear warm-up (warmup_iters); 0: none
	DecayEpochs []int   `yaml:"decay_epochs"` // epochs at which the rate is multiplied by decay_rate
	DecayRate   float32 `yaml:"decay_rate"`
	Cosine      bool    `yaml:"cosine"`    // after the warm-up half a cosine to 0 at the last step, times the staircase
	ClipNorm    float32 `yaml:"clip_norm"` // bound on the gradient's global norm; 0: off
	EMA         float32 `yaml:"ema"`       // decay of the averaged weights; 0: off
}

// Loop is the course of training.
type Loop struct {
	Batch        int      `yaml:"batch"`         // images of a step, and chains
	LabeledBatch int      `yaml:"labeled_batch"` // labelled images of a step, of which as many as go once through the training images are an epoch; 0: as train.batch
	Epochs       int      `yaml:"epochs"`
	Steps        int      `yaml:"steps"`        // stop after so many steps whatever train.epochs says; 0: that decides
	LogEvery     int      `yaml:"log_every"`    // steps between metric records
	EvalEvery    int      `yaml:"eval_every"`   // steps between evaluations; 0: each epoch, or as many as take 50 steps
	SampleEvery  int      `yaml:"sample_every"` // steps between sample grids; 0: each epoch, or as many as take 50 steps
	SaveEvery    int      `yaml:"save_every"`   // steps between checkpoints; 0: each epoch, or as many as take 50 steps
	TestLimit    int      `yaml:"test_limit"`   // evaluate on so many test images during training, the first ones, or of a folder of all classes alike; 0: all
	Best         string   `yaml:"best"`         // figure of the held-out images whose best checkpoint is kept: accuracy, nll (cross-entropy)
	KeepLast     int      `yaml:"keep_last"`    // checkpoints kept besides the best and the every-n ones
	KeepEvery    int      `yaml:"keep_every"`   // epochs between checkpoints kept for good (ckpt_every); 0: none
	MaxLoss      float32  `yaml:"max_loss"`     // |L| above it counts as divergence (official 1e8)
	FrozenStats  bool     `yaml:"frozen_stats"` // batch norms use the running statistics in training passes, too, and these stay
	Schedule     []string `yaml:"schedule"`     // settings over the run, as in "objective.l2 0.03@67% 0@100%": linear between those values, constant outside; @ a step or a share of the run
	Init         string   `yaml:"init"`         // weights to begin with: a run, a checkpoint, or a file (.pt, .pth, .safetensors); empty: random ones
}

// Figures that the best checkpoint may be chosen by.
const (
	BestAccuracy = "accuracy"
	BestNLL      = "nll"
)

// Guard decides when a step counts as diverged, besides train.max_loss and numbers that are
// not finite, and what a rollback to the last good checkpoint changes.
type Guard struct {
	MaxGap     float32 `yaml:"max_gap"`     // |f(x⁺) − f(x⁻)| in nats above it is divergence; 0: off
	MaxLogPx   float32 `yaml:"max_log_px"`  // |log p(x)| of data or samples above it is; 0: off
	MaxGrad    float32 `yaml:"max_grad"`    // a gradient norm above it is; 0: off
	MaxPixel   float32 `yaml:"max_pixel"`   // a chain's pixel |x| above it is; 0: off
	Saturation float32 `yaml:"saturation"`  // a larger share of the chains' pixels at or beyond ±1 is; 1: off
	Spike      float32 `yaml:"spike"`       // |L − running mean| above so many deviations (of 1 nat or more) is; 0: off
	Window     int     `yaml:"window"`      // steps that the running mean and deviation look back on
	Budget     int     `yaml:"budget"`      // rollbacks allowed within guard.period; 0: the first divergence ends the run
	Period     int     `yaml:"period"`      // steps; 0: the whole run
	Suspect    int     `yaml:"suspect"`     // diverged again within so many steps: the checkpoint was bad, take the one before
	LRFactor   float32 `yaml:"lr_factor"`   // each rollback multiplies the learning rate by it; 1: unchanged
	ExtraSteps int     `yaml:"extra_steps"` // each rollback adds so many SGLD steps
}

// Device is where the run computes.
type Device struct {
	Name     string `yaml:"name"`      // cpu, cuda
	ISA      string `yaml:"cpu_isa"`   // empty: the best
	Threads  int    `yaml:"threads"`   // 0: all that the process may use, see jem devices
	ConvAlgo string `yaml:"conv_algo"` // of convolutions on the CPU: auto (each layer's fastest, measured where in doubt), direct, winograd (where it can)

	Precision      string `yaml:"precision"`       // of convolutions: fp32, bf16, on a GPU tf32
	PrecisionScope string `yaml:"precision_scope"` // where a precision below fp32 holds: chain (sampling), all
	ConvEngine     string `yaml:"conv_engine"`     // of cuDNN: auto, graph (fused), legacy
	TimeEngines    bool   `yaml:"time_engines"`    // time cuDNN's ways to make each convolution once instead of taking its word
	WorkspaceLimit int    `yaml:"workspace_limit"` // working memory of a convolution on a GPU in MiB
	Graph          bool   `yaml:"graph"`           // replay sampling chains as CUDA graphs
}

// Pictures is how pictures are read.
func (d Data) Pictures() data.FolderOptions {
	return data.FolderOptions{Size: d.Size, Grey: d.Grey, Ground: imagefile.Ground(d.Ground), SkipBad: d.SkipBad, ByClass: d.ByClass}
}

// Held is the number of images that are held out of n.
func (d Data) Held(n int) int {
	if d.ValidShare > 0 {
		return int(math.Round(float64(d.ValidShare) * float64(n)))
	}
	return d.Valid
}

// Side is the pixels a side that images have; 0 where only the pictures themselves tell.
func (d Data) Side() int {
	if l, err := data.Lookup(d.Name); err == nil {
		return l.Side
	}
	return d.Size
}

// TotalSteps is the number of steps of a run whose epochs have so many.
func (c *Config) TotalSteps(stepsPerEpoch int) int {
	if c.Train.Steps > 0 {
		return c.Train.Steps
	}
	return c.Train.Epochs * stepsPerEpoch
}

// leastInterval is the number of steps below which nothing is done that is due each epoch: a set of few
// images would spend its time on evaluations and pictures, not on training.
const leastInterval = 50

// Interval is the number of steps after which something is done that is due every n; for 0 an epoch
// of so many steps, or the least number of them that takes 50.
func (l Loop) Interval(n, epoch int) int {
	if n > 0 {
		return n
	}
	return roundUp(leastInterval, epoch)
}

// KeptInterval is the number of steps between checkpoints that are kept for good; 0: none are. It is
// a multiple of that between checkpoints where that is given in epochs, too.
func (l Loop) KeptInterval(epoch int) int {
	kept := l.KeepEvery * epoch
	if l.SaveEvery == 0 {
		kept = roundUp(kept, l.Interval(0, epoch))
	}
	return kept
}

// roundUp is the least multiple of step that is n or more.
func roundUp(n, step int) int { return (n + step - 1) / step * step }

// StepsPerEpoch is the number of steps of an epoch of so many training images, before what is
// held out: whole batches of the labelled stream, and one at least.
func (c *Config) StepsPerEpoch(images int) int {
	if c.Data.Limit > 0 {
		images = min(images, c.Data.Limit)
	}
	return max(1, (images-c.Data.Held(images))/c.Train.Labeled())
}

// Labeled is the number of labelled images of a step.
func (l Loop) Labeled() int { return cmp.Or(l.LabeledBatch, l.Batch) }

// EvaluationNoise is the std of the pixel noise at evaluation.
func (d Data) EvaluationNoise() float32 {
	if d.EvalNoise {
		return d.Noise
	}
	return 0
}
