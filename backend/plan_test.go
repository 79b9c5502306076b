package backend_test

import (
	"fmt"
	"strings"
	"testing"

	"jem/backend"
)

// shaped is a tensor without memory.
type shaped struct {
	kind  backend.Kind
	shape []int
}

func (s shaped) Kind() backend.Kind { return s.kind }
func (s shaped) Shape() []int       { return s.shape }

func dense(shape ...int) backend.Tensor { return &shaped{backend.Dense, shape} }
func image(shape ...int) backend.Tensor { return &shaped{backend.Image, shape} }

// complaint is what call panics with, empty if it returns.
func complaint(call func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	call()
	return ""
}

// halving is a convolution all of whose sizes differ: x (·,3,6,8) → y (·,5,3,4).
var halving = backend.ConvSpec{N: 2, InC: 3, H: 6, W: 8, OutC: 5, Kernel: 3, Stride: 2, Pad: 1}

// flat is one with a kernel of 1×7: x (·,3,6,8) → y (·,5,6,8).
var flat = backend.ConvSpec{N: 2, InC: 3, H: 6, W: 8, OutC: 5, Kernel: 1, Stride: 1, KernelW: 7, PadW: 3, NoInputGrad: true, NoParamGrad: true}

func TestConvSpecCheck(t *testing.T) {
	w, b := dense(5, 3, 3, 3), dense(5)
	halving.Check(w, b)
	halving.Check(w, nil)
	flat.Check(dense(5, 3, 1, 7), b)
	bare := halving // the smallest image that the kernel fits
	bare.H, bare.W, bare.Pad = 3, 3, 0
	bare.Check(w, b)

	for name, change := range map[string]func(s *backend.ConvSpec){
		"no images":           func(s *backend.ConvSpec) { s.N = 0 },
		"no input channels":   func(s *backend.ConvSpec) { s.InC = 0 },
		"no output channels":  func(s *backend.ConvSpec) { s.OutC = 0 },
		"no kernel":           func(s *backend.ConvSpec) { s.Kernel = 0 },
		"negative kernel":     func(s *backend.ConvSpec) { s.Kernel = -1 },
		"even kernel":         func(s *backend.ConvSpec) { s.Kernel = 2 },
		"no stride":           func(s *backend.ConvSpec) { s.Stride = 0 },
		"negative padding":    func(s *backend.ConvSpec) { s.Pad = -1 },
		"too low":             func(s *backend.ConvSpec) { s.H = 0 },
		"too narrow":          func(s *backend.ConvSpec) { s.W = 0 },
		"a gradient of flat":  func(s *backend.ConvSpec) { *s = flat; s.NoInputGrad = false },
		"another one of flat": func(s *backend.ConvSpec) { *s = flat; s.NoParamGrad = false },
		"negative width":      func(s *backend.ConvSpec) { *s = flat; s.KernelW = -7 },
		"even width":          func(s *backend.ConvSpec) { *s = flat; s.KernelW = 6 },
		"padded by less":      func(s *backend.ConvSpec) { *s = flat; s.PadW = -1 },
		"narrower than flat":  func(s *backend.ConvSpec) { *s = flat; s.W = 0 },
	} {
		s := halving
		change(&s)
		kh, kw := s.Window()
		got := complaint(func() { s.Check(dense(s.OutC, s.InC, kh, kw), dense(s.OutC)) })
		if want := fmt.Sprintf("backend: NewConv: %+v is no convolution", s); got != want {
			t.Errorf("%s: panic %q, want %q", name, got, want)
		}
	}

	for name, c := range map[string]struct{ w, b backend.Tensor }{
		"no weights":                {nil, b},
		"weights of other channels": {dense(3, 5, 3, 3), b},
		"weights of another height": {dense(5, 3, 1, 3), b},
		"weights of another width":  {dense(5, 3, 3, 1), b},
		"weights in a row":          {dense(5 * 3 * 3 * 3), b},
		"an image for weights":      {image(5, 3, 3, 3), b},
		"biases of another number":  {w, dense(3)},
		"a matrix for biases":       {w, dense(5, 1)},
		"labels in place of biases": {w, &shaped{backend.Index, []int{5}}},
	} {
		if got := complaint(func() { halving.Check(c.w, c.b) }); !strings.HasPrefix(got, "backend: NewConv: got ") {
			t.Errorf("%s: panic %q", name, got)
		}
	}
}

// TestConvSpecChecksOperands gives each verb what fits, for another number of images than was
// planned, then one thing at a time that doesn't.
func TestConvSpecChecksOperands(t *testing.T) {
	const n = 7
	w, dw, db := dense(5, 3, 3, 3), dense(5, 3, 3, 3), dense(5)
	x, y := image(n, 3, 6, 8), image(n, 5, 3, 4)
	verbs := map[string]struct {
		check  func(s backend.ConvSpec, op []backend.Tensor) int
		fit    []backend.Tensor
		needed []bool // may not be nil by itself
	}{
		"Conv.Forward": {func(s backend.ConvSpec, o []backend.Tensor) int { return s.CheckForward(o[0], o[1], o[2], o[3]) },
			[]backend.Tensor{y, y, x, y}, []bool{false, false, true, false}},
		"Conv.InputGrad": {func(s backend.ConvSpec, o []backend.Tensor) int { return s.CheckInputGrad(o[0], o[1], o[2], o[3]) },
			[]backend.Tensor{x, y, x, x}, []bool{true, true, false, false}},
		"Conv.ParamGrad": {func(s backend.ConvSpec, o []backend.Tensor) int { return s.CheckParamGrad(w, o[0], o[1], o[2], o[3]) },
			[]backend.Tensor{dw, db, x, y}, []bool{true, false, true, true}},
	}
	strangers := []backend.Tensor{
		image(n+1, 3, 6, 8), image(n, 4, 6, 8), image(n, 3, 5, 8), image(n, 3, 6, 7), dense(n, 3, 6, 8),
		image(n+1, 5, 3, 4), image(n, 6, 3, 4), image(n, 5, 2, 4), image(n, 5, 3, 3), dense(n, 5, 3, 4),
		dense(5, 3, 3, 1), dense(4), image(5, 3, 3, 3), &shaped{backend.Index, []int{5}},
	}
	for op, v := range verbs {
		if got := v.check(halving, v.fit); got != n {
			t.Errorf("%s: %d images, want %d", op, got, n)
		}
		for i, needed := range v.needed {
			with := func(o backend.Tensor) string {
				operands := append([]backend.Tensor{}, v.fit...)
				operands[i] = o
				return complaint(func() { v.check(halving, operands) })
			}
			if got := with(nil); needed != strings.HasPrefix(got, "backend: "+op+": operands do not fit: ") || !needed && got != "" {
				t.Errorf("%s without operand %d: panic %q", op, i, got)
			}
			for _, o := range strangers {
				if got := with(o); !strings.HasPrefix(got, "backend: "+op+": ") {
					t.Errorf("%s with %s as operand %d: panic %q", op, backend.Describe(o), i, got)
				}
			}
		}
	}
}

func TestConvSpecRefusesVerbsThatItRulesOut(t *testing.T) {
	w, b, x, y := dense(5, 3, 1, 7), dense(5), image(1, 3, 6, 8), image(1, 5, 6, 8)
	for op, call := range map[string]func(){
		"Conv.Forward":   func() { flat.CheckForward(nil, nil, x, y) }, // there is no result
		"Conv.InputGrad": func() { flat.CheckInputGrad(x, y, nil, nil) },
		"Conv.ParamGrad": func() { flat.CheckParamGrad(w, w, b, x, y) },
	} {
		if got := complaint(call); !strings.HasPrefix(got, "backend: "+op+": operands do not fit: ") {
			t.Errorf("%s: panic %q", op, got)
		}
	}
	if n := flat.CheckForward(y, nil, x, nil); n != 1 {
		t.Errorf("%d images, want 1", n)
	}
}
