//go:build cuda && linux && amd64

package dnn

// Descriptors are the binding's. Its convolution calls refuse bfloat16 (their scalars would
// be float32) and allocate; its queries panic or are missing. So calls and queries are here.

// #include <cudnn.h>
//
// typedef struct { cudnnTensorDescriptor_t x, y; cudnnFilterDescriptor_t w; cudnnConvolutionDescriptor_t conv; } jem_layer;
// typedef struct { int algorithm, math, status, ordered; size_t workspace; } jem_choice;
//
// enum { CHOICES = 16 };
//
// #define QUERY(result, function, ...) \
// 	result perf[CHOICES]; \
// 	cudnnStatus_t s = function(handle, __VA_ARGS__, CHOICES, n, perf); \
// 	for (int i = 0; s == CUDNN_STATUS_SUCCESS && i < *n; i++) \
// 		choices[i] = (jem_choice){perf[i].algo, perf[i].mathType, perf[i].status, perf[i].determinism == CUDNN_DETERMINISTIC, perf[i].memory}; \
// 	return s;
//
// static cudnnStatus_t forward_choices(cudnnHandle_t handle, jem_layer l, int *n, jem_choice *choices) {
// 	QUERY(cudnnConvolutionFwdAlgoPerf_t, cudnnGetConvolutionForwardAlgorithm_v7, l.x, l.w, l.conv, l.y)
// }
// static cudnnStatus_t input_choices(cudnnHandle_t handle, jem_layer l, int *n, jem_choice *choices) {
// 	QUERY(cudnnConvolutionBwdDataAlgoPerf_t, cudnnGetConvolutionBackwardDataAlgorithm_v7, l.w, l.y, l.conv, l.x)
// }
// static cudnnStatus_t param_choices(cudnnHandle_t handle, jem_layer l, int *n, jem_choice *choices) {
// 	QUERY(cudnnConvolutionBwdFilterAlgoPerf_t, cudnnGetConvolutionBackwardFilterAlgorithm_v7, l.x, l.y, l.conv, l.w)
// }
//
// static cudnnStatus_t forward_workspace(cudnnHandle_t handle, jem_layer l, int algorithm, size_t *n) {
// 	return cudnnGetConvolutionForwardWorkspaceSize(handle, l.x, l.w, l.conv, l.y, algorithm, n);
// }
// static cudnnStatus_t input_workspace(cudnnHandle_t handle, jem_layer l, int algorithm, size_t *n) {
// 	return cudnnGetConvolutionBackwardDataWorkspaceSize(handle, l.w, l.y, l.conv, l.x, algorithm, n);
// }
// static cudnnStatus_t param_workspace(cudnnHandle_t handle, jem_layer l, int algorithm, size_t *n) {
// 	return cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, l.x, l.y, l.conv, l.w, algorithm, n);
// }
//
// static const float one = 1, zero = 0;
//
// static cudnnStatus_t forward(cudnnHandle_t handle, jem_layer l, int algorithm, uintptr_t x, uintptr_t w, uintptr_t y, uintptr_t workspace, size_t n) {
// 	return cudnnConvolutionForward(handle, &one, l.x, (void *)x, l.w, (void *)w, l.conv, algorithm, (void *)workspace, n, &zero, l.y, (void *)y);
// }
// static cudnnStatus_t input_grad(cudnnHandle_t handle, jem_layer l, int algorithm, uintptr_t dy, uintptr_t w, uintptr_t dx, uintptr_t workspace, size_t n) {
// 	return cudnnConvolutionBackwardData(handle, &one, l.w, (void *)w, l.y, (void *)dy, l.conv, algorithm, (void *)workspace, n, &zero, l.x, (void *)dx);
// }
// static cudnnStatus_t param_grad(cudnnHandle_t handle, jem_layer l, int algorithm, uintptr_t x, uintptr_t dy, uintptr_t dw, uintptr_t workspace, size_t n) {
// 	return cudnnConvolutionBackwardFilter(handle, &one, l.x, (void *)x, l.y, (void *)dy, l.conv, algorithm, (void *)workspace, n, &zero, l.w, (void *)dw);
// }
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	cudnn "gorgonia.org/cu/dnn"
)

// legacyPlan is a Plan of the legacy calls, which know a bare convolution only. The gradient
// dw has the operands' storage.
type legacyPlan struct {
	handle    *Handle
	pass      Pass
	name      string
	algorithm C.int
	workspace C.size_t
	layer     C.jem_layer

	// The binding's descriptors destroy themselves when they are forgotten.
	x, y *cudnn.TensorDescriptor
	w    *cudnn.Filter
	conv *cudnn.Convolution
}

// errNoAlgorithm says that none keeps to the limits.
var errNoAlgorithm = errors.New("no legacy algorithm keeps to the limits")

// Legacy asks the legacy heuristics for a plan of a bare spec.
func (h *Handle) Legacy(s Spec, l Limits) (Plan, error) {
	p := &legacyPlan{handle: h, pass: s.Pass}
	if err := p.describe(s); err != nil {
		p.Destroy()
		return nil, err
	}
	if err := p.choose(s, l); err != nil {
		p.Destroy()
		return nil, fmt.Errorf("legacy %s: %w", s.Precision, err)
	}
	return p, nil
}

func (p *legacyPlan) describe(s Spec) error {
	storage, math := cudnn.Float, cudnn.FmaMath
	switch s.Precision {
	case TF32:
		math = cudnn.DefaultMath // which allows TF32
	case BF16:
		storage, math = cudnn.DataType(C.CUDNN_DATA_BFLOAT16), cudnn.TensorOpMath
	}
	outH, outW := (s.H+2*s.Pad-s.R)/s.Stride+1, (s.W+2*s.PadW-s.S)/s.Stride+1
	var err error
	if p.x, err = cudnn.NewTensorDescriptor(cudnn.NHWC, storage, []int{s.N, s.C, s.H, s.W}, nil); err != nil {
		return wrap("cudnnSetTensor4dDescriptor", err)
	}
	if p.y, err = cudnn.NewTensorDescriptor(cudnn.NHWC, storage, []int{s.N, s.K, outH, outW}, nil); err != nil {
		return wrap("cudnnSetTensor4dDescriptor", err)
	}
	if p.w, err = cudnn.NewFilter(storage, cudnn.NHWC, []int{s.K, s.C, s.R, s.S}); err != nil {
		return wrap("cudnnSetFilter4dDescriptor", err)
	}
	p.conv, err = cudnn.NewConvolution(math, 1, []int{s.Pad, s.PadW}, []int{s.Stride, s.Stride}, []int{1, 1}, cudnn.CrossCorrelation, cudnn.Float)
	if err != nil {
		return wrap("cudnnSetConvolutionNdDescriptor", err)
	}
	p.layer = C.jem_layer{
		x: *(*C.cudnnTensorDescriptor_t)(unsafe.Pointer(p.x)), y: *(*C.cudnnTensorDescriptor_t)(unsafe.Pointer(p.y)),
		w: *(*C.cudnnFilterDescriptor_t)(unsafe.Pointer(p.w)), conv: *(*C.cudnnConvolutionDescriptor_t)(unsafe.Pointer(p.conv)),
	}
	return nil
}

// query asks for the algorithms that the library proposes, the fastest first.
func (p *legacyPlan) query(pass Pass) ([]C.jem_choice, error) {
	var n C.int
	choices, h := make([]C.jem_choice, C.CHOICES), p.handle.c()
	var s C.cudnnStatus_t
	switch pass {
	case Forward:
		s = C.forward_choices(h, p.layer, &n, &choices[0])
	case InputGrad:
		s = C.input_choices(h, p.layer, &n, &choices[0])
	default:
		s = C.param_choices(h, p.layer, &n, &choices[0])
	}
	return choices[:n], failed("query of convolution algorithms", s)
}

// choose takes the first algorithm that keeps to the limits.
func (p *legacyPlan) choose(s Spec, l Limits) error {
	choices, err := p.query(s.Pass)
	if err != nil {
		return err
	}
	for _, c := range choices {
		tensorCores := c.math != C.CUDNN_DEFAULT_MATH && c.math != C.CUDNN_FMA_MATH
		if c.status != C.CUDNN_STATUS_SUCCESS || c.ordered == 0 && !l.AnyOrder || s.Precision == FP32 && tensorCores || int64(c.workspace) > l.Workspace {
			continue
		}
		if err := p.adopt(s, c); err != nil {
			return err
		}
		if int64(p.workspace) > l.Workspace {
			continue
		}
		if l.Skip--; l.Skip < 0 {
			return nil
		}
	}
	return errNoAlgorithm
}

// adopt makes the choice the plan's. The descriptor's math type is the choice's, unless
// float32 is to be strict, where the library answers "default" for what we forbade.
func (p *legacyPlan) adopt(s Spec, c C.jem_choice) error {
	if s.Precision != FP32 {
		if err := failed("cudnnSetConvolutionMathType", C.cudnnSetConvolutionMathType(p.layer.conv, C.cudnnMathType_t(c.math))); err != nil {
			return err
		}
	}
	p.algorithm = c.algorithm
	p.name = fmt.Sprintf("legacy %s %s", s.Precision, algorithmName(s.Pass, int(c.algorithm)))
	h, n := p.handle.c(), &p.workspace
	switch s.Pass {
	case Forward:
		return failed("cudnnGetConvolutionForwardWorkspaceSize", C.forward_workspace(h, p.layer, c.algorithm, n))
	case InputGrad:
		return failed("cudnnGetConvolutionBackwardDataWorkspaceSize", C.input_workspace(h, p.layer, c.algorithm, n))
	}
	return failed("cudnnGetConvolutionBackwardFilterWorkspaceSize", C.param_workspace(h, p.layer, c.algorithm, n))
}

func algorithmName(p Pass, algorithm int) string {
	names := [...][]string{
		Forward:   {"implicit gemm", "precomp gemm", "gemm", "direct", "fft", "fft tiling", "winograd", "winograd nonfused"},
		InputGrad: {"algorithm 0", "algorithm 1", "fft", "fft tiling", "winograd", "winograd nonfused"},
		ParamGrad: {"algorithm 0", "algorithm 1", "fft", "algorithm 3", "winograd", "winograd nonfused", "fft tiling"},
	}[p]
	if algorithm < len(names) {
		return names[algorithm]
	}
	return fmt.Sprint("algorithm ", algorithm)
}

// Run implements Plan: Raw = X∗W, DX = Y∗Wᵀ or DW = X⋆Y.
func (p *legacyPlan) Run(o *Pointers, workspace uintptr) error {
	a := func(at Place) C.uintptr_t { return C.uintptr_t(o[at]) }
	h, l, work := p.handle.c(), p.layer, C.uintptr_t(workspace)
	switch p.pass {
	case Forward:
		return failed(p.name, C.forward(h, l, p.algorithm, a(X), a(W), a(Raw), work, p.workspace))
	case InputGrad:
		return failed(p.name, C.input_grad(h, l, p.algorithm, a(Y), a(W), a(DX), work, p.workspace))
	}
	return failed(p.name, C.param_grad(h, l, p.algorithm, a(X), a(Y), a(DW), work, p.workspace))
}

// Workspace implements Plan.
func (p *legacyPlan) Workspace() int64 { return int64(p.workspace) }

// Name implements Plan.
func (p *legacyPlan) Name() string { return p.name }

// Destroy implements Plan. Filters are the one descriptor that the binding never destroys.
func (p *legacyPlan) Destroy() {
	if p.w != nil {
		C.cudnnDestroyFilterDescriptor(p.layerFilter())
		p.w = nil
	}
}

func (p *legacyPlan) layerFilter() C.cudnnFilterDescriptor_t {
	return *(*C.cudnnFilterDescriptor_t)(unsafe.Pointer(p.w))
}
