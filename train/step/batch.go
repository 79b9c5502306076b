package step

import (
	"slices"

	"jem/backend"
	"jem/config"
	"jem/model"
)

// Batch is one training step's images on the device: all parts in one tensor, so that
// they can pass through the network together, with views of each. Tensors hold this rank's n = ΣN/W
// samples, its share of each part; Parts, Logits and labels on the host are of all W ranks.
type Batch struct {
	Parts  []model.Part
	x      backend.Tensor // Image (n,C,H,W)
	labels backend.Tensor // Index (n)
	coef   backend.Tensor // Dense (n,4), see backend.LogitGrad
	DLogit backend.Tensor // Dense (n,K)
	Views  []View         // by part

	objective  model.Objective // that coef is of
	hostLabels []int32         // of all samples; 0 where a part has none
	Logits     []float32       // (ΣN,K) on the host, once a step
	own        []float32       // (n,K): this rank's rows of them
	rank       int
	ranks      int // W
}

// View is this rank's share of one part of a batch.
type View struct {
	X      backend.Tensor // Image (N,C,H,W)
	Labels backend.Tensor // Index (N)
	Coef   backend.Tensor // Dense (N,4)
	DLogit backend.Tensor // Dense (N,K)
	Grad   backend.Tensor // of X; nil where the images don't move

	lo     int // of the part's samples the one that is the first here
	origin origin
	mover  *mover // nil where the images don't move
}

// moving are the roles of images that the model makes.
const moving = model.ChainPX | model.ChainXY | model.Attacked | model.Dreams

// samples is their number in all parts.
func samples(parts []model.Part) (n int) {
	for _, p := range parts {
		n += p.N
	}
	return n
}

func newBatch(d backend.Device, c *config.Config, net model.Config, rank, ranks int) *Batch {
	parts := c.Parts()
	total := samples(parts)
	n := total / ranks
	b := &Batch{
		Parts:      parts,
		x:          d.New(backend.Image, n, net.InC, net.Size, net.Size),
		labels:     d.New(backend.Index, n),
		coef:       d.New(backend.Dense, n, 4),
		DLogit:     d.New(backend.Dense, n, net.Classes),
		hostLabels: make([]int32, total),
		Logits:     make([]float32, total*net.Classes),
		rank:       rank,
		ranks:      ranks,
	}
	if b.own = b.Logits; ranks > 1 {
		b.own = make([]float32, n*net.Classes)
	}
	lo := 0
	for _, p := range parts {
		n := p.N / ranks
		rows := func(t backend.Tensor) backend.Tensor { return d.Rows(t, lo, lo+n) }
		v := View{X: rows(b.x), Labels: rows(b.labels), Coef: rows(b.coef), DLogit: rows(b.DLogit), lo: rank * n, origin: originOf(c, p.Role)}
		if p.Role&moving != 0 {
			v.Grad = d.New(backend.Image, n, net.InC, net.Size, net.Size)
			v.mover = &mover{}
			if _, ball := c.Negatives()[p.Role].Ball(); ball {
				v.mover.centre = d.New(backend.Image, n, net.InC, net.Size, net.Size)
			}
		}
		b.Views = append(b.Views, v)
		lo += n
	}
	return b
}

// weigh has the loss be o from now on.
func (b *Batch) weigh(d backend.Device, o model.Objective) {
	if !slices.Equal(o, b.objective) {
		d.Upload(b.coef, ownRows(b, o.Coef(b.Parts)))
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

// runs calls f for each run of samples that a rank has one after the other, part by part: n of them, which
// begin at row own of the rank's and at row whole of all.
func (b *Batch) runs(rank int, f func(whole, own, n int)) {
	whole, own := 0, 0
	for _, p := range b.Parts {
		n := p.N / b.ranks
		f(whole+rank*n, own, n)
		whole, own = whole+p.N, own+n
	}
}

// ownRows are this rank's rows of values of all samples, as many of each.
func ownRows[T any](b *Batch, all []T) []T {
	if b.ranks == 1 {
		return all
	}
	width := len(all) / len(b.hostLabels)
	own := make([]T, len(all)/b.ranks)
	b.runs(b.rank, func(from, to, n int) { copy(own[to*width:(to+n)*width], all[from*width:]) })
	return own
}

// host returns the host labels of part i, of all ranks.
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
