package trace

import (
	"slices"

	"jem/backend"
)

// Call is one operation that was asked for.
type Call struct {
	Op     string           // the method's name; those of plans as in "Conv.Forward"
	Reads  []backend.Tensor // operands read, in the order of the arguments
	Writes []backend.Tensor // operands assigned or accumulated into; the latter are among Reads, too
	Conv   *ConvCall        // of a planned convolution
	Norm   bool             // of a planned norm
	// Couples says that each image's results depend on all images.
	Couples bool
	plan    *conv
}

// ConvCall says what a convolution was asked to do.
type ConvCall struct {
	Spec backend.ConvSpec // N is the batch of the call
	Bias bool             // Forward: the plan has a bias. ParamGrad: its gradient is asked for
	// Residual, Raw and Act are the operands that the verb had: see backend.Conv. For
	// InputGrad Act is the activation that gates the gradient.
	Residual, Raw, Act bool
}

// FLOPs counts a multiply-add as two, as direct convolution; 0 where the call is none.
func (c Call) FLOPs() float64 {
	if c.Conv == nil {
		return 0
	}
	return 2 * c.Conv.Spec.MACs(c.Conv.Spec.N)
}

// Device records calls. It is not safe for several goroutines, as no device is.
type Device struct {
	calls []Call

	sizes  backend.Sizer // nil: nothing is added up
	taken  Taken         // but for shared
	shared int64         // working memory, the most that a plan asks for
	passes [2]int64      // and that passes ask for, of each kind
	inPass bool
}

// New returns a device that has recorded nothing.
func New() *Device { return &Device{} }

// Calls are those since New or Forget, in order.
func (d *Device) Calls() []Call { return d.calls }

// Forget empties the record.
func (d *Device) Forget() { d.calls = nil }

// Name implements backend.Device.
func (d *Device) Name() string { return "trace" }

// Info implements backend.Device.
func (d *Device) Info() backend.Info { return backend.Info{Kind: "trace"} }

// Close implements backend.Device.
func (d *Device) Close() error { return nil }

// tensor is a shape without memory.
type tensor struct {
	kind    backend.Kind
	shape   []int
	working *working // nil of a tensor with memory of its own
}

func (t *tensor) Kind() backend.Kind { return t.kind }
func (t *tensor) Shape() []int       { return t.shape }

type operands []backend.Tensor

// some lists the tensors that are there.
func some(ts ...backend.Tensor) operands {
	return slices.DeleteFunc(operands(ts), func(t backend.Tensor) bool { return t == nil })
}

func (d *Device) note(op string, writes, reads operands) {
	d.add(Call{Op: op, Reads: reads, Writes: writes})
}
