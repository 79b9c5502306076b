package backend

import (
	"fmt"

	"jem/backend/philox"
)

// Device is everything the trainer asks of a machine.
type Device interface {
	// Name identifies the device for people and logs, as in "cpu (avx512, 2 threads)".
	Name() string
	// Info describes it for machines: env.json, jem devices.
	Info() Info
	// Close releases all memory. The device and its tensors are unusable afterwards.
	Close() error

	Memory
	Planner
	Pointwise
	Head
	Random
	Update
}

// Info describes a device.
type Info struct {
	Kind    string `json:"kind"`    // "cpu", "cuda"
	Model   string `json:"model"`   // processor or card, as it names itself
	ISA     string `json:"isa"`     // instruction set or compute capability in use
	Threads int    `json:"threads"` // worker threads; 0 where it has no meaning
}

// Memory allocates and moves tensors.
type Memory interface {
	// New returns a zeroed tensor. Image needs 4 sizes, Index one, Dense at least one;
	// all sizes are at least 1.
	New(kind Kind, shape ...int) Tensor
	// Free gives memory back. Views (Rows, View) become invalid with their owner.
	Free(ts ...Tensor)
	// Rows returns the view t[lo:hi] along the first dimension. It shares memory with t.
	Rows(t Tensor, lo, hi int) Tensor
	// View returns shape-many elements of a Dense tensor from element offset on,
	// as a Dense tensor that shares its memory.
	View(t Tensor, offset int, shape ...int) Tensor

	// Upload copies contiguous row-major (for Image: NCHW) values to the device.
	// len(src) = Len(dst). src may be reused at once.
	Upload(dst Tensor, src []float32)
	// UploadRows replaces the given rows (first dimension) of dst, in order, from src.
	UploadRows(dst Tensor, rows []int, src []float32)
	// UploadIndex fills an Index tensor.
	UploadIndex(dst Tensor, src []int32)
	// Download waits for all earlier work and copies the other way. It returns
	// the first error of the device since the last Sync or Download.
	Download(dst []float32, src Tensor) error
	// Sync waits for all earlier work and returns its first error.
	Sync() error

	// Copy assigns src to dst. Kinds may be Image and Dense: then Dense holds NCHW.
	Copy(dst, src Tensor)
	// Fill sets every element to v.
	Fill(dst Tensor, v float32)
}

// Planner makes plans: objects that choose algorithm, layouts and workspace once
// and then run without allocating.
type Planner interface {
	// NewConv plans a convolution with the given parameters: w Dense
	// (OutC,InC,Kernel,Kernel), b Dense (OutC) or nil for none.
	NewConv(spec ConvSpec, w, b Tensor) Conv
	// NewNorm plans a normalisation with affine parameters gamma, beta Dense (C) and,
	// for BatchNorm, the running statistics mean, variance Dense (C); else nil.
	NewNorm(spec NormSpec, gamma, beta, mean, variance Tensor) Norm
	// ParamsChanged tells every plan of the device that parameters were written
	// since its last call, so that cached (reordered, transformed) weights are redone.
	ParamsChanged()
}

// Pointwise operations work element by element on tensors of one kind and shape.
type Pointwise interface {
	// LeakyReLU: y = x for x > 0, else slope·x. y may be x. 0 < slope ≤ 1.
	LeakyReLU(y, x Tensor, slope float32)
	// LeakyReLUGrad: dx = dy where y > 0, else slope·dy. y may be the activation's
	// input or its output (the sign is the same). dx may be dy.
	LeakyReLUGrad(dx, dy, y Tensor, slope float32)
	// Axpy: y += a·x.
	Axpy(y Tensor, a float32, x Tensor)
	// AxpySquared: y += a·y²·x, the climb of adaptive sharpness-aware minimisation (Kwon et
	// al. 2021) from parameters y along their gradient x.
	AxpySquared(y Tensor, a float32, x Tensor)
	// Lerp: y += t·(x − y), the moving average of EMA weights.
	Lerp(y, x Tensor, t float32)
	// Clamp: x = min(max(x, lo), hi).
	Clamp(x Tensor, lo, hi float32)
	// Dropout zeroes each element with probability rate and scales the others by
	// 1/(1−rate). The mask is a function of key alone, so the gradient is the same
	// call on the gradient. dst may be src.
	Dropout(dst, src Tensor, key philox.Key, rate float32)
}

// Head operations sit between the last feature map and the loss.
// Shapes: logits Dense (N,K), one row a sample.
type Head interface {
	// AvgPool averages over all pixels: y Dense (N,C), x Image (N,C,H,W).
	AvgPool(y, x Tensor)
	// AvgPoolGrad spreads dy Dense (N,C) over dx Image (N,C,H,W), divided by H·W, and,
	// where act is not nil, multiplies by the LeakyReLU's derivative at act (sign of act,
	// slope) in the same pass.
	AvgPoolGrad(dx, dy, act Tensor, slope float32)
	// Linear: y (N,K) = x (N,D)·wᵀ + b, w Dense (K,D), b Dense (K).
	Linear(y, x, w, b Tensor)
	// LinearInputGrad: dx (N,D) = dy (N,K)·w.
	LinearInputGrad(dx, dy, w Tensor)
	// LinearParamGrad: dw += dyᵀ·x, db += Σ_rows dy.
	LinearParamGrad(dw, db, x, dy Tensor)
	// LogSumExp: lse Dense (N) = log Σ_k exp logits[n,k], stable for any finite input.
	LogSumExp(lse, logits Tensor)
	// LogitGrad writes the gradient of a joint objective at the logits:
	//
	//	d[n,k] = (c₀ + c₁·lse[n] + c₃·σ(lse[n]))·softmax(logits[n])[k] + c₂·[k = labels[n]]
	//
	// with (c₀,c₁,c₂,c₃) = coef[n], coef Dense (N,4), and the logistic function σ, which
	// overflows for no lse. Every objective is a choice of coefficients (model/objective.go);
	// (1,0,0,0) is ∂LogSumExp, (0,0,1,0) is ∂logit[label], (0,0,0,1) is ∂log(1+exp(lse)), the
	// cross-entropy of an image that a discriminator with the logit lse should reject.
	// labels Index (N) may be nil when all c₂ are 0. A row whose coefficients are
	// all 0 is exactly 0; one whose c₃ is 0 doesn't ask for σ.
	LogitGrad(dlogits, logits, labels, coef Tensor)
	// RowNorm: dst Dense (N) = Euclidean norm of each row (sample) of x.
	RowNorm(dst, x Tensor)
	// SumSquares: dst Dense (1) = Σ x², in float32 or better: terms below its range (1e-38) may
	// vanish, and a sum beyond it is infinite.
	SumSquares(dst, x Tensor)
	// ProductSquares: dst Dense (1) = Σ (x·y)², x and y of one kind and shape: the squared
	// length of a gradient measured in its parameters' own sizes. Its range is that of SumSquares.
	ProductSquares(dst, x, y Tensor)
}

// Random fills are functions of their key. Element i of the logical (NCHW) order
// takes the i-th number of the key's stream, counted from the key's First, on every device.
type Random interface {
	// Uniform: dst ~ U[lo,hi), bit for bit lo + (hi−lo)·philox.Uniform.
	Uniform(dst Tensor, key philox.Key, lo, hi float32)
	// Normal: dst = mean + std·ε, ε ~ N(0,1); within a few ulp of philox.Normal.
	Normal(dst Tensor, key philox.Key, mean, std float32)
}

// Update operations change chains, the replay buffer and parameters in place.
type Update interface {
	// SGLDStep moves every chain one Langevin step, see SGLD.
	SGLDStep(x, grad Tensor, key philox.Key, p SGLD)
	// SignStep: x += a·sign(grad) element by element, one rounding; sign(0) = 0. The sum is
	// rounded once, so its bits are the same on every device. A NaN in either stays one.
	SignStep(x, grad Tensor, a float32)
	// UnitStep moves each image by a in the direction of its gradient, image by image:
	// x[n] += a·grad[n]/‖grad[n]‖₂. The norm is taken in float64, so no finite gradient is too
	// large or too small to have one; an image whose gradient is 0 stays. A NaN in a gradient
	// makes its whole image NaN, an infinity its own elements.
	UnitStep(x, grad Tensor, a float32)
	// Project moves each image into the ball around its centre, and each pixel into its
	// range, see Ball. x and centre are of one kind and shape; centre stays.
	Project(x, centre Tensor, b Ball)
	// GatherRows: dst[i] = src[rows[i]]; src Dense (B,D), dst any kind with D elements a
	// row (Image rows in NCHW order), rows Index (N), repeats allowed.
	GatherRows(dst, src, rows Tensor)
	// ScatterRows: dst[rows[i]] = src[i], the inverse; where rows repeat, the last wins.
	ScatterRows(dst, src, rows Tensor)
	// AdamStep updates parameters p from gradient g with moments m, v; all Dense, one shape.
	AdamStep(p, g, m, v Tensor, h Adam)
	// SGDStep updates p from g with momentum buffer m.
	SGDStep(p, g, m Tensor, h SGD)
}

// SGLD are the constants of one Langevin step
//
//	x ← clamp(x + α·clip(∂log p/∂x) + σ·ε),  ε ~ N(0,1) from the key.
//
// α and σ are separate as in the published code (Welling & Teh tie σ² = 2α).
type SGLD struct {
	StepSize float32 // α
	Noise    float32 // σ; 0 draws no numbers
	GradClip float32 // each gradient element clipped to [−GradClip, GradClip]; 0 = no clipping
	Lo, Hi   float32 // pixel range kept after the step; Lo = Hi = 0: no clamp
}

// BallNorm is how the distance of two images is measured.
type BallNorm uint8

const (
	// LInf is the largest difference of two pixels.
	LInf BallNorm = iota
	// L2 is the Euclidean norm of the difference.
	L2
)

// Ball is the set of images that Project moves into: those no farther from a centre than
// Radius, in the centre's units, of which each pixel is in [min(Lo, centre), max(Hi, centre)].
// So the centre itself is always in the set, wherever its pixels are, and moving into the range
// never leaves the ball.
//
//	LInf: x ← min(max(x, c − Radius), c + Radius), each rounded once
//	L2:   x ← c + (x−c)·Radius/‖x−c‖₂ for an image with ‖x−c‖₂ > Radius, norm and move in
//	      float64 with one rounding at the end; any other image stays
//
// A NaN in x or in the centre stays one; with L2 its whole image becomes NaN, as it does
// where the distance is infinite.
type Ball struct {
	Norm   BallNorm
	Radius float32 // ≥ 0; 0 puts x on the centre
	Lo, Hi float32 // pixel range, Lo ≤ Hi; Lo = Hi = 0: none
}

// Check panics on behalf of Project unless b is a ball, x and centre images of one size.
func (b Ball) Check(x, centre Tensor) {
	SameShape("Project", x, centre)
	if b.Norm > L2 || !(b.Radius >= 0) || !(b.Lo <= b.Hi) {
		panic(fmt.Sprintf("backend: Project: %+v is no ball", b))
	}
}

// Ranged reports whether pixels have a range.
func (b Ball) Ranged() bool { return b.Lo != 0 || b.Hi != 0 }

// Adam are the constants of one Adam step (Kingma & Ba 2015, as PyTorch's torch.optim.Adam).
type Adam struct {
	LR, Beta1, Beta2, Eps float32
	WeightDecay           float32 // L2 added to the gradient, not decoupled
	GradScale             float32 // gradient multiplied by this first (norm clipping); 1 = off
	Step                  int     // 1 on the first call: the bias corrections' exponent
}

// SGD are the constants of one momentum step, as torch.optim.SGD:
// g ← s·g + wd·p; m ← μ·m + g (m ← g on the first step); p ← p − lr·m.
type SGD struct {
	LR, Momentum, WeightDecay float32
	GradScale                 float32
	First                     bool // the momentum buffer holds nothing yet
}
