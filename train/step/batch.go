package step

import (
	"slices"

	"jem/backend"
	"jem/config"
	"jem/model"
)

// Batch is one training step's images on the device: all parts in one tensor, so that
// they can pass through the network together, with views of each.
type Batch struct {
	Parts  []model.Part
	x      backend.Tensor // Image (ΣN,C,H,W)
	labels backend.Tensor // Index (ΣN)
	coef   backend.Tensor // Dense (ΣN,4), see backend.LogitGrad
	DLogit backend.Tensor // Dense (ΣN,K)
	Views  []View         // by part

	objective  model.Objective // that coef is of
	hostLabels []int32         // of all samples; 0 where a part has none
	Logits     []float32       // (ΣN,K) on the host, once a step
}

// View is one part of a batch.
type View struct {
	X      backend.Tensor // Image (N,C,H,W)
	Labels backend.Tensor // Index (N)
	Coef   backend.Tensor // Dense (N,4)
	DLogit backend.Tensor // Dense (N,K)
	Grad   backend.Tensor // of X; nil where the images don't move

	origin origin
	mover  *mover // nil where the images don't move
}

// moving are the roles of images that the model makes.
const moving = model.ChainPX | model.ChainXY | model.Attacked | model.Dreams

func newBatch(d backend.Device, c *config.Config, net model.Config) *Batch {
	parts, total := c.Parts(), 0
	for _, p := range parts {
		total += p.N
	}
	b := &Batch{
		Parts:      parts,
		x:          d.New(backend.Image, total, net.InC, net.Size, net.Size),
		labels:     d.New(backend.Index, total),
		coef:       d.New(backend.Dense, total, 4),
		DLogit:     d.New(backend.Dense, total, net.Classes),
		hostLabels: make([]int32, total),
		Logits:     make([]float32, total*net.Classes),
	}
	lo := 0
	for _, p := range parts {
		rows := func(t backend.Tensor) backend.Tensor { return d.Rows(t, lo, lo+p.N) }
		v := View{X: rows(b.x), Labels: rows(b.labels), Coef: rows(b.coef), DLogit: rows(b.DLogit), origin: originOf(c, p.Role)}
		if p.Role&moving != 0 {
			v.Grad = d.New(backend.Image, p.N, net.InC, net.Size, net.Size)
			v.mover = &mover{}
			if _, ball := c.Negatives()[p.Role].Ball(); ball {
				v.mover.centre = d.New(backend.Image, p.N, net.InC, net.Size, net.Size)
			}
		}
		b.Views = append(b.Views, v)
		lo += p.N
	}
	return b
}

// weigh has the loss be o from now on.
func (b *Batch) weigh(d backend.Device, o model.Objective) {
	if !slices.Equal(o, b.objective) {
		d.Upload(b.coef, o.Coef(b.Parts))
		b.objective = o
	}
}

// Part returns the index of the part with the role, or −1.
func (b *Batch) Part(r model.Role) int {
	for i, p := range b.Parts {
		if p.Role&r != 0 {
			return i
		}
	}
	return -1
}

// host returns the host labels of part i.
func (b *Batch) host(i int) []int32 {
	lo := b.first(i)
	return b.hostLabels[lo : lo+b.Parts[i].N]
}

// first is the index of the first sample of part i.
func (b *Batch) first(i int) (lo int) {
	for _, p := range b.Parts[:i] {
		lo += p.N
	}
	return lo
}

// logPx are log p(x) of the samples of part i, up to log Z, as of the last pass.
func (b *Batch) logPx(i int) []float64 {
	k, lo := len(b.Logits)/len(b.hostLabels), b.first(i)
	all := make([]float64, b.Parts[i].N)
	for j := range all {
		all[j] = model.LogSumExp(b.Logits[(lo+j)*k : (lo+j+1)*k])
	}
	return all
}
