package backendtest

import (
	"fmt"
	"math"
	"slices"

	"jem/backend"
	"jem/backend/philox"
)

// u is the unit roundoff of float32.
const u = 1.0 / (1 << 24)

// sums is the bound on a float32 sum of zero-mean products, in units of u·Σ|ab|. Over
// 100,000 sums of 9 to 5,760 products each, taken in sequence with and without fused
// multiply-add, the largest error was 4.2 units (it doesn't grow with the number of
// terms); a term left out is about 1/(u·n) units, seen for any n below a million.
const sums = 6.0

// maxFaults bounds what one check reports.
const maxFaults = 6

// Probe is a check's access to the device: it makes tensors with known content,
// compares, and frees everything when the check is over.
type Probe struct {
	dev    backend.Device
	opt    Options
	owned  []backend.Tensor
	inputs []*operand // compared bit for bit when the check is over
	draws  int        // random operands made so far, the key of the next
	faults []string
	worst  deviation
	digest uint64
}

// deviation is a measured error at its place.
type deviation struct {
	err, ratio float64
	place      string
}

// operand is a tensor on the device together with the values uploaded to it.
type operand struct {
	backend.Tensor
	v []float32 // row-major (Image: NCHW)
}

func newProbe(dev backend.Device, opt Options) *Probe { return &Probe{dev: dev, opt: opt} }

// guard calls f and turns a panic into a fault.
func (p *Probe) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			p.faultf("panic in %s: %v", blame(), r)
		}
	}()
	f()
}

// finish compares the inputs, asks for the device's error and frees the memory.
func (p *Probe) finish() {
	for _, x := range p.inputs {
		p.same("input "+backend.Describe(x.Tensor)+" afterwards", x.Tensor, x.v)
	}
	if err := p.dev.Sync(); err != nil {
		p.faultf("device: %v", err)
	}
	p.dev.Free(p.owned...)
}

func (p *Probe) faultf(format string, args ...any) {
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, fmt.Sprintf(format, args...))
	}
}

// key returns the next key of this check.
func (p *Probe) key() philox.Key {
	p.draws++
	return philox.New(1, 0, philox.Test).At(p.draws, 0)
}

// random returns n numbers of mean zero, uniform in [−1,1).
func (p *Probe) random(n int) []float32 {
	v := make([]float32, n)
	p.key().FillUniform(v, -1, 1)
	return v
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// alloc makes a tensor that the probe frees.
func (p *Probe) alloc(kind backend.Kind, shape ...int) backend.Tensor {
	t := p.dev.New(kind, shape...)
	p.owned = append(p.owned, t)
	return t
}

// put makes a tensor with the given values, which an operation may change.
func (p *Probe) put(v []float32, kind backend.Kind, shape ...int) *operand {
	t := p.alloc(kind, shape...)
	p.dev.Upload(t, v)
	return &operand{Tensor: t, v: slices.Clone(v)}
}

// in makes a random tensor that no operation may change.
func (p *Probe) in(kind backend.Kind, shape ...int) *operand {
	return p.fixed(p.random(size(shape)), kind, shape...)
}

// fixed makes a tensor with the given values that no operation may change.
func (p *Probe) fixed(v []float32, kind backend.Kind, shape ...int) *operand {
	x := p.put(v, kind, shape...)
	p.inputs = append(p.inputs, x)
	return x
}

// out makes a destination full of NaN, so that an element left unwritten shows.
func (p *Probe) out(kind backend.Kind, shape ...int) backend.Tensor {
	v := make([]float32, size(shape))
	for i := range v {
		v[i] = float32(math.NaN())
	}
	return p.put(v, kind, shape...).Tensor
}

// index makes an Index tensor.
func (p *Probe) index(v ...int32) backend.Tensor {
	t := p.alloc(backend.Index, len(v))
	p.dev.UploadIndex(t, v)
	return t
}

// get downloads a tensor and takes its bits into the check's digest.
func (p *Probe) get(t backend.Tensor) []float32 {
	v := make([]float32, backend.Len(t))
	if err := p.dev.Download(v, t); err != nil {
		p.faultf("download %s: %v", backend.Describe(t), err)
	}
	const prime = 1099511628211 // FNV-1, a word at a time
	for _, x := range v {
		p.digest = p.digest*prime ^ uint64(math.Float32bits(x))
	}
	return v
}

// near compares a tensor with the definition: the error of element i may reach
// k·u·want.s[i].
func (p *Probe) near(what string, t backend.Tensor, want estimate, k float64) {
	p.nearValues(what, t.Shape(), p.get(t), want, k)
}

func (p *Probe) nearValues(what string, shape []int, got []float32, want estimate, k float64) {
	worst := deviation{ratio: -1}
	var text string
	for i, g := range got {
		err, bound := math.Abs(float64(g)-want.v[i]), k*u*want.s[i]
		ratio := 0.0
		if err != 0 {
			ratio = err / bound // +Inf where the value must be exact
		}
		if math.IsNaN(ratio) {
			ratio = math.Inf(1)
		}
		if ratio > worst.ratio {
			worst = deviation{err, ratio, what + place(shape, i)}
			text = fmt.Sprintf("got %v, want %v, error %.3g, bound %.3g", g, want.v[i], err, bound)
		}
	}
	if worst.ratio > 1 {
		p.faultf("%s: %s", worst.place, text)
	}
	if worst.ratio > p.worst.ratio || p.worst.place == "" {
		p.worst = worst
	}
}

// same compares a tensor bit for bit.
func (p *Probe) same(what string, t backend.Tensor, want []float32) {
	p.sameValues(what, t.Shape(), p.get(t), want)
}

func (p *Probe) sameValues(what string, shape []int, got, want []float32) {
	for i, g := range got {
		if math.Float32bits(g) != math.Float32bits(want[i]) {
			p.faultf("%s%s: got %v, want exactly %v", what, place(shape, i), g, want[i])
			return
		}
	}
}

// place formats the position of element i of a tensor of the given shape.
func place(shape []int, i int) string {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d], i = i%shape[d], i/shape[d]
	}
	return fmt.Sprint(at)
}
