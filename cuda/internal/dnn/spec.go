//go:build cuda && linux && amd64

package dnn

import "fmt"

// Pass is one of a convolution's three computations.
type Pass uint8

// The passes, with what they compute; see graph.h.
const (
	Forward   Pass = iota // raw = x∗w + bias + residual, act = LeakyReLU(raw)
	InputGrad             // dx = (dy∗wᵀ)·(act > 0 ? 1 : slope) + residual
	ParamGrad             // dw = x⋆dy, float32
)

// Precision is the storage of a convolution's operands and what its products may lose. Sums
// are float32 in all.
type Precision uint8

// The precisions.
const (
	FP32 Precision = iota // float32, fused multiply-add
	TF32                  // float32, tensor cores: operands are rounded to 10 bits
	BF16                  // bfloat16 operands; bias and weight gradient stay float32
)

func (p Precision) String() string { return [...]string{"fp32", "tf32", "bf16"}[p] }

// Spec is one computation: sizes of the forward convolution x (N,C,H,W) ∗ w (K,C,R,S), and
// which operands of the pass's formula there are. Images lie as N,H,W,C, weights as K,R,S,C.
type Spec struct {
	Pass      Pass
	Precision Precision
	N, C, H, W, K, R, S, Stride, Pad, PadW,
	Alignment int // of all operands in bytes
	Bias, Residual, Raw, Act bool
	Slope                    float32
}

// Bare is the spec without anything fused to the convolution.
func (s Spec) Bare() Spec {
	s.Bias, s.Residual, s.Raw, s.Act = false, false, s.Pass == Forward, false
	return s
}

// String describes the spec for people and lists of choices, as in
// "forward 16to32 32x32 n64 k3s2p1 fp32 bias raw".
func (s Spec) String() string {
	text := fmt.Sprintf("%s %dto%d %dx%d n%d k%ds%dp%d %s", [...]string{"forward", "input gradient", "parameter gradient"}[s.Pass],
		s.C, s.K, s.H, s.W, s.N, s.R, s.Stride, s.Pad, s.Precision)
	for _, part := range []struct {
		name string
		has  bool
	}{{"bias", s.Bias}, {"residual", s.Residual}, {"raw", s.Raw}, {"act", s.Act}, {fmt.Sprintf("%d wide padded by %d", s.S, s.PadW), s.S != s.R || s.PadW != s.Pad}, {fmt.Sprint("aligned to ", s.Alignment), s.Alignment != 16}} {
		if part.has {
			text += " " + part.name
		}
	}
	return text
}

// Limits bound what a plan may take.
type Limits struct {
	Workspace int64 // bytes
	AnyOrder  bool  // allow sums whose order changes from run to run
	Skip      int   // leave out the library's first so many proposals that keep to the rest
}

// Place names an operand of a computation.
type Place uint8

// The places, as jem_place in graph.h.
const (
	X Place = iota
	W
	Y // dy of the gradients
	Bias
	Residual
	Raw
	Act
	DX
	DW
	Places // how many there are
)

// Pointers are the addresses of the operands by Place; those that a spec lacks are 0.
type Pointers [Places]uintptr

// Plan computes a Spec, in the stream's order.
type Plan interface {
	// Run enqueues the computation; workspace has the bytes that Workspace tells.
	Run(p *Pointers, workspace uintptr) error
	Workspace() int64
	// Name tells the library's choice, as in "graph tf32 engine 13" or "legacy fp32
	// precomp gemm". It contains "winograd" where tiles are transformed.
	Name() string
	Destroy()
}
