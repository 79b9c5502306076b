package inception

import (
	"math"

	"jem/backend"
)

// Batch is how many images run at once. It does not influence results.
const Batch = 16

// Device is what the network needs of a machine.
type Device interface {
	backend.Device
	backend.Windower
}

// Network is ready to run.
type Network struct {
	Weights *Weights
	Mode    Mode

	dev    Device
	input  backend.Tensor // (Batch,3,Side,Side)
	stages []stage
	parts  []backend.Tensor // of the last feature map
	pooled []backend.Tensor // Dense (Batch,C) of each

	features, logits, fc, zero backend.Tensor
	owned                      []backend.Tensor
	pixels                     []float32 // resized images
}

// Answers are the network's to n images.
type Answers struct {
	Features []float32 // (n,Features), the last average pool ("pool_3")
	Logits   []float32 // (n,Classes) without bias: the published score leaves it out
}

// stage is a planned layer.
type stage struct {
	layer *layer
	convs []backend.Conv   // one a part of the input
	in    []backend.Tensor // the parts
	sum   backend.Tensor   // of the convolutions so far; nil where there is one
	out   backend.Tensor
}

// New plans the network.
func New(dev Device, w *Weights, m Mode) *Network {
	n := &Network{Weights: w, Mode: m, dev: dev, pixels: make([]float32, Batch*3*Side*Side)}
	layers, last := network()
	n.input = n.tensor(backend.Image, Batch, 3, Side, Side)
	p := &planner{n: n, tensors: map[string]backend.Tensor{image: n.input}, last: lastUses(layers, last)}
	for i := range layers {
		n.stages = append(n.stages, p.stage(i, &layers[i]))
	}
	for _, name := range last {
		t := p.tensors[name]
		n.parts = append(n.parts, t)
		n.pooled = append(n.pooled, n.tensor(backend.Dense, Batch, t.Shape()[1]))
	}
	n.features, n.logits = n.tensor(backend.Dense, Batch, Features), n.tensor(backend.Dense, Batch, Classes)
	n.fc, n.zero = n.tensor(backend.Dense, Classes, Features), n.tensor(backend.Dense, Classes)
	dev.Upload(n.fc, w.fc)
	dev.ParamsChanged()
	return n
}

// Close frees the network's memory on the device.
func (n *Network) Close() { n.dev.Free(n.owned...) }

func (n *Network) tensor(kind backend.Kind, shape ...int) backend.Tensor {
	t := n.dev.New(kind, shape...)
	n.owned = append(n.owned, t)
	return t
}

// run computes the stage for the first images.
func (s *stage) run(d Device, images int) {
	rows := func(t backend.Tensor) backend.Tensor { return d.Rows(t, 0, images) }
	out := rows(s.out)
	if s.layer.kind == maximum {
		d.MaxPool(out, rows(s.in[0]), backend.Window{Size: s.layer.kh, Stride: s.layer.stride, Pad: s.layer.ph})
		return
	}
	var sum, before backend.Tensor
	for i, c := range s.convs {
		x := rows(s.in[i])
		if s.layer.kind == convolve && i == len(s.convs)-1 {
			c.Forward(nil, out, x, before)
			return
		}
		sum = rows(s.sum)
		c.Forward(sum, nil, x, before)
		before = sum
	}
	// The mean commutes with the 1×1 convolution, which leaves fewer channels to pool.
	d.MeanPool(out, sum, backend.Window{Size: 3, Stride: 1, Pad: 1})
	d.Clamp(out, 0, math.MaxFloat32)
}

// Run answers to images (n,C,size,size) in [−1,1], C 1 (grey) or 3; values beyond are clamped.
func (n *Network) Run(images []float32, c, size int) (Answers, error) {
	var a Answers
	per := c * size * size
	for lo := 0; lo < len(images)/per; lo += Batch {
		hi := min(lo+Batch, len(images)/per)
		if err := n.batch(&a, images[lo*per:hi*per], c, size); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (n *Network) batch(a *Answers, images []float32, c, size int) error {
	d, count := n.dev, len(images)/(c*size*size)
	pixels := n.pixels[:count*3*Side*Side]
	n.Mode.Resize(pixels, images, c, size)
	d.Upload(d.Rows(n.input, 0, count), pixels)
	for i := range n.stages {
		n.stages[i].run(d, count)
	}
	features := make([]float32, count*Features)
	first := 0
	for i, t := range n.parts {
		c := t.Shape()[1]
		pooled, host := d.Rows(n.pooled[i], 0, count), make([]float32, count*c)
		d.AvgPool(pooled, d.Rows(t, 0, count))
		if err := d.Download(host, pooled); err != nil {
			return err
		}
		for j := range count {
			copy(features[j*Features+first:], host[j*c:(j+1)*c])
		}
		first += c
	}
	f, l := d.Rows(n.features, 0, count), d.Rows(n.logits, 0, count)
	d.Upload(f, features)
	d.Linear(l, f, n.fc, n.zero)
	logits := make([]float32, count*Classes)
	a.Features = append(a.Features, features...)
	err := d.Download(logits, l)
	a.Logits = append(a.Logits, logits...)
	return err
}
