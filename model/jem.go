package model

import (
	"maps"
	"slices"

	"jem/backend"
)

// JEM reads a classifier's logits f(x) as a joint energy-based model (Grathwohl et al.
// 2020, section 3):
//
//	p(y|x)     = softmax(f(x))[y]
//	log p(x,y) = f(x)[y] − log Z
//	log p(x)   = LogSumExp_y f(x)[y] − log Z
//
// log Z is unknown; everything here leaves it out. The energy is E(x) = −LogSumExp f(x),
// and this is the only place where its sign is chosen: all methods speak of log-densities,
// which samplers climb.
//
// A JEM evaluates its network without dropout and, unless Mode says otherwise, with running batch
// statistics, so that samples do not influence each other.
type JEM struct {
	Net  *Network
	Mode Mode // of its passes

	dev     backend.Device
	dlogits byBatch // (N,K)
	coefs   map[Climb]byBatch
}

// byBatch holds one tensor for every batch size in use.
type byBatch map[int]backend.Tensor

// NewJEM reads net as a joint model.
func NewJEM(dev backend.Device, net *Network) *JEM {
	return &JEM{Net: net, dev: dev, dlogits: byBatch{}, coefs: map[Climb]byBatch{}}
}

// Close gives the device's memory back, but for the network's.
func (j *JEM) Close() {
	for _, sizes := range append(slices.Collect(maps.Values(j.coefs)), j.dlogits) {
		for _, t := range sizes {
			j.dev.Free(t)
		}
	}
	clear(j.coefs)
	clear(j.dlogits)
}

// Logits returns f(x), Dense (N,K), for images x (N,C,H,W). The network owns the result
// until the next call.
func (j *JEM) Logits(x backend.Tensor) (logits backend.Tensor) {
	backend.Pass(j.dev, func() { logits = j.Net.Forward(x, j.Mode) })
	return logits
}

// LogPx writes log p(x) + log Z = LogSumExp f(x) to dst, Dense (N).
func (j *JEM) LogPx(dst, x backend.Tensor) {
	backend.Pass(j.dev, func() { j.dev.LogSumExp(dst, j.Logits(x)) })
}

// LogDensityGrad assigns g, shape of x, the gradient ∂ log p(x)/∂x of each sample.
func (j *JEM) LogDensityGrad(g, x backend.Tensor) { j.grad(g, x, nil, ClimbLogPx) }

// LogJointGrad assigns g the gradient ∂ log p(x,y)/∂x of each sample for labels y, Index (N).
func (j *JEM) LogJointGrad(g, x, y backend.Tensor) { j.grad(g, x, y, ClimbLogit) }

func (j *JEM) grad(g, x, labels backend.Tensor, c Climb) {
	backend.Pass(j.dev, func() { j.pass(g, x, labels, c) })
}

func (j *JEM) pass(g, x, labels backend.Tensor, c Climb) {
	logits := j.Logits(x)
	n, k := logits.Shape()[0], logits.Shape()[1]
	d, ok := j.dlogits[n]
	if !ok {
		d = j.dev.New(backend.Dense, n, k)
		j.dlogits[n] = d
	}
	j.dev.LogitGrad(d, logits, labels, j.coef(c, n))
	j.Net.InputGrad(g, d)
}

// coef are the coefficients of n samples.
func (j *JEM) coef(c Climb, n int) backend.Tensor {
	sizes, ok := j.coefs[c]
	if !ok {
		sizes = byBatch{}
		j.coefs[c] = sizes
	}
	coef, ok := sizes[n]
	if !ok {
		coef = j.dev.New(backend.Dense, n, len(c))
		j.dev.Upload(coef, repeat(n, c[:]...))
		sizes[n] = coef
	}
	return coef
}

// repeat returns n rows of the given values.
func repeat(n int, row ...float32) []float32 {
	out := make([]float32, 0, n*len(row))
	for range n {
		out = append(out, row...)
	}
	return out
}
