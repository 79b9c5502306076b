package model

import (
	"fmt"
	"math"
	"runtime/debug"

	"jem/backend"
	"jem/backend/philox"
)

// Params are a network's parameters: one flat Dense tensor of values and one of
// gradients, with a named view of each for every parameter. The optimiser, the moving
// average and checkpoints work on the flat tensors; layers use the views.
type Params struct {
	Value, Grad backend.Tensor // Dense (P)
	List        []Param        // in the order of the official state dict
	byName      map[string]int
}

// Param is one named parameter.
type Param struct {
	Name        string // as in the official state dict: f.layer1.0.conv1.weight
	Shape       []int
	Offset      int // in the flat tensors
	Value, Grad backend.Tensor
	init        initial
}

// initial says how a parameter starts: uniform within ±bound, or constant.
type initial struct {
	bound    float32
	constant float32
}

// spread is PyTorch's default for convolution and linear layers, weight and bias alike:
// U(−1/√fan_in, 1/√fan_in). The published code defines another initialiser but never
// calls it.
func spread(fanIn int) initial { return initial{bound: float32(1 / math.Sqrt(float64(fanIn)))} }

// linear are the parameters of a linear layer, weight (out,in) and bias (out), and their gradients.
type linear struct{ w, b, dw, db backend.Tensor }

// layout collects parameters before their memory is allocated.
type layout struct{ list []Param }

func (l *layout) add(name string, init initial, shape ...int) {
	l.list = append(l.list, Param{Name: name, Shape: shape, init: init})
}

// conv adds weight (out,in,k,k) and bias (out).
func (l *layout) conv(name string, out, in, k int) {
	l.add(name+".weight", spread(in*k*k), out, in, k, k)
	l.add(name+".bias", spread(in*k*k), out)
}

// linear adds weight (out,in) and bias (out).
func (l *layout) linear(name string, out, in int) {
	l.add(name+".weight", spread(in), out, in)
	l.add(name+".bias", spread(in), out)
}

// norm adds the affine parameters (c): weight 1, bias 0.
func (l *layout) norm(name string, c int) {
	l.add(name+".weight", initial{constant: 1}, c)
	l.add(name+".bias", initial{}, c)
}

// allocate gives every collected parameter its place on the device.
func (l *layout) allocate(dev backend.Device) *Params {
	p := &Params{List: l.list, byName: map[string]int{}}
	total := 0
	for i := range p.List {
		q := &p.List[i]
		q.Offset = total
		total += product(q.Shape)
		p.byName[q.Name] = i
	}
	p.Value, p.Grad = dev.New(backend.Dense, total), dev.New(backend.Dense, total)
	for i := range p.List {
		q := &p.List[i]
		q.Value = dev.View(p.Value, q.Offset, q.Shape...)
		q.Grad = dev.View(p.Grad, q.Offset, q.Shape...)
	}
	return p
}

// Get returns the parameter with the given name.
func (p *Params) Get(name string) (Param, bool) {
	i, ok := p.byName[name]
	if !ok {
		return Param{}, false
	}
	return p.List[i], true
}

// must is Get for names the network itself has added.
func (p *Params) must(name string) Param {
	q, ok := p.Get(name)
	if !ok {
		panic(fmt.Sprintf("model: no parameter %q", name))
	}
	return q
}

// linear returns the parameters and gradients of the linear layer with the given name.
func (p *Params) linear(name string) linear {
	w, b := p.must(name+".weight"), p.must(name+".bias")
	return linear{w: w.Value, b: b.Value, dw: w.Grad, db: b.Grad}
}

// Len is the number of scalars.
func (p *Params) Len() int { return backend.Len(p.Value) }

// Init writes the initial values: parameter i draws from the i-th stream of the seed, so
// the values do not depend on the device.
func (p *Params) Init(dev backend.Device, seed uint64) {
	values := make([]float32, p.Len())
	key := philox.New(seed, 0, philox.Init)
	for i, q := range p.List {
		v := values[q.Offset : q.Offset+product(q.Shape)]
		if q.init.bound > 0 {
			key.At(i, 0).FillUniform(v, -q.init.bound, q.init.bound)
			continue
		}
		for j := range v {
			v[j] = q.init.constant
		}
	}
	dev.Upload(p.Value, values)
	dev.ParamsChanged()
	if len(values) > 4<<20 {
		debug.FreeOSMemory() // the values, now the device's, are as large as its own
	}
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
