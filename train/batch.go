package train

import (
	"jem/backend"
	"jem/model"
)

// batch is one training step's images on the device: all parts in one tensor, so that
// they can pass through the network together, with views of each.
type batch struct {
	parts  []model.Part
	x      backend.Tensor // Image (ΣN,C,H,W)
	labels backend.Tensor // Index (ΣN)
	coef   backend.Tensor // Dense (ΣN,3), see backend.LogitGrad
	dlogit backend.Tensor // Dense (ΣN,K)
	views  []view         // by part

	hostLabels []int32   // of all samples; 0 where a part has none
	logits     []float32 // (ΣN,K) on the host, once a step
}

// view is one part of a batch.
type view struct{ x, labels, coef, dlogit, grad backend.Tensor }

func newBatch(d backend.Device, parts []model.Part, o model.Objective, net model.Config) *batch {
	total := 0
	for _, p := range parts {
		total += p.N
	}
	b := &batch{
		parts:      parts,
		x:          d.New(backend.Image, total, net.InC, net.Size, net.Size),
		labels:     d.New(backend.Index, total),
		coef:       d.New(backend.Dense, total, 3),
		dlogit:     d.New(backend.Dense, total, net.Classes),
		hostLabels: make([]int32, total),
		logits:     make([]float32, total*net.Classes),
	}
	d.Upload(b.coef, o.Coef(parts))
	lo := 0
	for _, p := range parts {
		rows := func(t backend.Tensor) backend.Tensor { return d.Rows(t, lo, lo+p.N) }
		v := view{x: rows(b.x), labels: rows(b.labels), coef: rows(b.coef), dlogit: rows(b.dlogit)}
		if p.Role&(model.ChainPX|model.ChainXY) != 0 {
			v.grad = d.New(backend.Image, p.N, net.InC, net.Size, net.Size)
		}
		b.views = append(b.views, v)
		lo += p.N
	}
	return b
}

// part returns the index of the part with the role, or −1.
func (b *batch) part(r model.Role) int {
	for i, p := range b.parts {
		if p.Role&r != 0 {
			return i
		}
	}
	return -1
}

// host returns the host labels of part i.
func (b *batch) host(i int) []int32 {
	lo := 0
	for _, p := range b.parts[:i] {
		lo += p.N
	}
	return b.hostLabels[lo : lo+b.parts[i].N]
}
