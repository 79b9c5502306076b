package backend

import "fmt"

// ConvSpec describes a convolution x (N,InC,H,W) → y (N,OutC,OutH,OutW).
type ConvSpec struct {
	N           int // batch the plan is made for; any other batch works too
	InC, H, W   int
	OutC        int
	Kernel      int     // square, odd: 1 or 3 in the published network
	Stride      int     // 1 or 2
	Pad         int     // zeros around the image; (Kernel−1)/2 in the published network
	Slope       float32 // LeakyReLU slope of the fused epilogues; 0 makes it ReLU
	NoInputGrad bool    // InputGrad will never be asked for
	NoParamGrad bool    // ParamGrad will never be asked for

	// KernelW and PadW are the width of a kernel that isn't square, odd, and the zeros left
	// and right of the image; Kernel and Pad are then those of its height. KernelW 0: square.
	// Only a Windower plans such convolutions, and only their forward pass.
	KernelW, PadW int
}

// Window is the height and width of the kernel.
func (s ConvSpec) Window() (h, w int) {
	if s.KernelW == 0 {
		return s.Kernel, s.Kernel
	}
	return s.Kernel, s.KernelW
}

// Padding is the number of zero rows above and below the image, and of zero columns left and
// right of it.
func (s ConvSpec) Padding() (h, w int) {
	if s.KernelW == 0 {
		return s.Pad, s.Pad
	}
	return s.Pad, s.PadW
}

// OutH is the output height.
func (s ConvSpec) OutH() int { return (s.H+2*s.Pad-s.Kernel)/s.Stride + 1 }

// OutW is the output width.
func (s ConvSpec) OutW() int {
	_, kernel := s.Window()
	_, pad := s.Padding()
	return (s.W+2*pad-kernel)/s.Stride + 1
}

// MACs is the number of multiply-adds of one forward pass over n images, counted
// as direct convolution (borders included). The two gradients cost the same.
func (s ConvSpec) MACs(n int) float64 {
	h, w := s.Window()
	return float64(n) * float64(s.OutC*s.OutH()*s.OutW()) * float64(s.InC*h*w)
}

// Check panics on behalf of NewConv unless s is a convolution, w its weights
// (OutC,InC,height,width of the kernel) and b, if there is one, its biases (OutC).
func (s ConvSpec) Check(w, b Tensor) {
	const op = "NewConv"
	kh, kw := s.Window()
	ph, pw := s.Padding()
	forwardOnly := s.NoInputGrad && s.NoParamGrad
	if s.N < 1 || s.InC < 1 || s.OutC < 1 || kh < 1 || kw < 1 || kh%2 == 0 || kw%2 == 0 || s.Stride < 1 ||
		ph < 0 || pw < 0 || s.H+2*ph < kh || s.W+2*pw < kw || s.KernelW != 0 && !forwardOnly {
		panic(fmt.Sprintf("backend: %s: %+v is no convolution", op, s))
	}
	CheckShape(op, w, Dense, s.OutC, s.InC, kh, kw)
	if b != nil {
		CheckShape(op, b, Dense, s.OutC)
	}
}

// CheckForward panics on behalf of Conv.Forward unless its operands are there and of the
// spec's size. It returns their number of images, and like the checks of the other verbs it
// allocates nothing.
func (s ConvSpec) CheckForward(raw, act, x, residual Tensor) int {
	const op = "Conv.Forward"
	if raw == nil && act == nil || x == nil {
		Mismatch(op, raw, act, x, residual)
	}
	n := x.Shape()[0]
	s.checkInput(op, x, n)
	s.checkOutput(op, raw, n)
	s.checkOutput(op, act, n)
	s.checkOutput(op, residual, n)
	return n
}

// CheckInputGrad is CheckForward for Conv.InputGrad, which the spec must not rule out.
func (s ConvSpec) CheckInputGrad(dx, dy, act, residual Tensor) int {
	const op = "Conv.InputGrad"
	if dx == nil || dy == nil || s.NoInputGrad {
		Mismatch(op, dx, dy, act, residual)
	}
	n := dy.Shape()[0]
	s.checkOutput(op, dy, n)
	s.checkInput(op, dx, n)
	s.checkInput(op, act, n)
	s.checkInput(op, residual, n)
	return n
}

// CheckParamGrad is CheckForward for Conv.ParamGrad, which the spec must not rule out; w are
// the weights that the convolution was planned with.
func (s ConvSpec) CheckParamGrad(w, dw, db, x, dy Tensor) int {
	const op = "Conv.ParamGrad"
	if dw == nil || x == nil || dy == nil || s.NoParamGrad {
		Mismatch(op, dw, db, x, dy)
	}
	SameShape(op, dw, w)
	n := x.Shape()[0]
	s.checkInput(op, x, n)
	s.checkOutput(op, dy, n)
	if db != nil && (db.Kind() != Dense || Len(db) != s.OutC) {
		CheckShape(op, db, Dense, s.OutC)
	}
	return n
}

// checkInput panics on behalf of op unless t is nil or n images as the convolution reads them.
func (s ConvSpec) checkInput(op string, t Tensor, n int) { checkImages(op, t, n, s.InC, s.H, s.W) }

// checkOutput is checkInput for those that it writes.
func (s ConvSpec) checkOutput(op string, t Tensor, n int) {
	checkImages(op, t, n, s.OutC, s.OutH(), s.OutW())
}

// checkImages is CheckShape of images, without an allocation unless it panics; t may be nil.
func checkImages(op string, t Tensor, n, c, h, w int) {
	if t == nil {
		return
	}
	if s := t.Shape(); t.Kind() != Image || s[0] != n || s[1] != c || s[2] != h || s[3] != w {
		CheckShape(op, t, Image, n, c, h, w)
	}
}

// Conv is a planned convolution. Its three verbs allocate nothing.
type Conv interface {
	Spec() ConvSpec
	// Algorithms names what was chosen for the forward pass, the input gradient and
	// the parameter gradient.
	Algorithms() (forward, inputGrad, paramGrad string)

	// Forward computes r = x∗w + b (+ residual) and writes r to raw and LeakyReLU(r)
	// to act. raw or act may be nil, not both; residual may be nil. residual may be raw
	// (in place); nothing else may overlap.
	Forward(raw, act, x, residual Tensor)

	// InputGrad computes g = ∂(x∗w)/∂xᵀ·dy, multiplies it by LeakyReLU's derivative at
	// act (shape of dx; 1 where act > 0, else Slope) when act is not nil, then adds
	// residual when that is not nil, and assigns the sum to dx. dx may be residual.
	// act is the activation whose output (or input) fed this convolution.
	InputGrad(dx, dy, act, residual Tensor)

	// ParamGrad accumulates dw += Σ_n x⋆dy and, when db is not nil, db += Σ dy.
	ParamGrad(dw, db, x, dy Tensor)
}

// NormKind is the set of elements that share a mean and a variance.
type NormKind uint8

const (
	// BatchNorm: one mean and variance a channel, over samples and pixels.
	BatchNorm NormKind = iota
	// InstanceNorm: one a sample and channel, over pixels.
	InstanceNorm
	// LayerNorm: one a sample, over channels and pixels (GroupNorm with one group).
	LayerNorm
)

// NormMode says which mean and variance a BatchNorm's Forward uses. Norms of other kinds
// always use the input's own.
type NormMode uint8

const (
	// RunningStats: the running ones, which stay. No image influences another.
	RunningStats NormMode = iota
	// BatchStats: the batch's own, and the running ones stay.
	BatchStats
	// MovingStats: the batch's own, and the running ones move towards them.
	MovingStats
)

// Couples reports whether a Forward of the kind makes each image's result depend on all.
func (m NormMode) Couples(k NormKind) bool { return k == BatchNorm && m != RunningStats }

// NormSpec describes a normalisation of images (N,C,H,W), any N.
type NormSpec struct {
	Kind     NormKind
	C, H, W  int
	Eps      float32 // added to the variance
	Momentum float32 // share of the new batch in the running statistics (PyTorch's sense); BatchNorm only
}

// CheckParams panics on behalf of op unless the tensors are what NewNorm wants.
func (s NormSpec) CheckParams(op string, gamma, beta, mean, variance Tensor) {
	all := []Tensor{gamma, beta}
	if s.Kind == BatchNorm {
		all = append(all, mean, variance)
	}
	for _, t := range all {
		if t == nil || t.Kind() != Dense || len(t.Shape()) != 1 || t.Shape()[0] != s.C {
			Mismatch(op, all...)
		}
	}
}

// Images panics on behalf of op unless all tensors are images of the spec's size and one
// number, which it returns.
func (s NormSpec) Images(op string, ts ...Tensor) int {
	SameShape(op, ts...)
	shape := ts[0].Shape()
	if ts[0].Kind() != Image || shape[1] != s.C || shape[2] != s.H || shape[3] != s.W {
		Mismatch(op, ts...)
	}
	return shape[0]
}

// Norm is a planned normalisation y = γ·(x−μ)/√(σ²+ε) + β, σ² biased.
type Norm interface {
	// Forward normalises with the statistics that mode names; MovingStats moves BatchNorm's
	// running ones by Momentum (the variance unbiased). It remembers what it used for the
	// gradients.
	Forward(y, x Tensor, mode NormMode)
	// InputGrad assigns dx for the last Forward, whose input x was: through the statistics
	// where they were the input's own, while running ones are constants. dx may be dy.
	InputGrad(dx, dy, x Tensor)
	// ParamGrad accumulates dgamma += Σ dy·x̂ and dbeta += Σ dy for the last Forward, whose
	// input x was and which made x̂ of it, with whichever statistics.
	ParamGrad(dgamma, dbeta, x, dy Tensor)
}
