package backendtest

import (
	"fmt"

	"jem/backend"
	"jem/backend/philox"
)

// drawing is a verb that draws numbers: what it does to x, g beside it, and its definition, within k
// roundings.
type drawing struct {
	name string
	draw func(d backend.Device, x, g backend.Tensor, key philox.Key)
	want func(x, g []float32, key philox.Key) estimate
	k    float64
}

func drawings() []drawing {
	const rate = 0.3
	s := backend.SGLD{StepSize: 0.7, Noise: 0.1, GradClip: 0.5, Lo: -1, Hi: 1}
	return []drawing{
		{"Uniform", func(d backend.Device, x, _ backend.Tensor, key philox.Key) { d.Uniform(x, key, -1, 1) },
			func(x, _ []float32, key philox.Key) estimate {
				e, u := newEstimate(len(x)), make([]float32, len(x)) // exact: no error measure
				key.FillUniform(u, -1, 1)
				copy(e.v, wide(u))
				return e
			}, 1},
		{"Normal", func(d backend.Device, x, _ backend.Tensor, key philox.Key) { d.Normal(x, key, 0.2, 0.5) },
			func(x, _ []float32, key philox.Key) estimate { return normals(key, len(x), 0.2, 0.5) }, 1},
		{"Dropout", func(d backend.Device, x, g backend.Tensor, key philox.Key) { d.Dropout(x, g, key, rate) },
			func(x, g []float32, key philox.Key) estimate {
				e := newEstimate(len(x))
				for i, v := range g {
					if key.Uniform(uint64(i)) >= rate {
						e.add(i, float64(v)/(1-float64(float32(rate))))
					}
				}
				return e
			}, 3},
		{"SGLDStep", func(d backend.Device, x, g backend.Tensor, key philox.Key) { d.SGLDStep(x, g, key, s) },
			func(x, g []float32, key philox.Key) estimate { return sgldEstimate(x, g, key, s) }, 1},
	}
}

// firsts are blocks to begin with: the first, one whose successors need the counter's second word
// within a few rows, and one beyond 2³² whose lower word is 0.
func firsts() []uint64 { return []uint64{0, 1<<32 - 5, 3 << 33} }

// cutLayouts are tensors with rows to cut them at, where whole blocks of numbers end.
func cutLayouts() []struct {
	layout
	cuts []int
} {
	d, i := backend.Dense, backend.Image
	return []struct {
		layout
		cuts []int
	}{
		{layout{d, []int{6, 6}}, []int{2, 4}}, {layout{d, []int{5, 8196}}, []int{1, 4}}, {layout{i, []int{8, 1, 3, 3}}, []int{4}},
		{layout{i, []int{4, 3, 4, 4}}, []int{1, 3}}, {layout{i, []int{6, 3, 5, 2}}, []int{2, 4}}, {layout{i, []int{8, 17, 3, 5}}, []int{4}},
		{layout{i, []int{3, 24, 1, 9}}, []int{1, 2}}, {layout{i, []int{5, 32, 2, 2}}, []int{3}},
	}
}

// offset: with a key that begins at any block, a verb is what its definition says; and rows lo … hi of a
// whole, alone in a tensor or as its view, have with From(lo·elements) every bit of the whole's.
func offset(p *Probe) {
	for _, v := range drawings() {
		for _, l := range cutLayouts() {
			for _, first := range firsts() {
				key := p.key()
				key.First = first
				offsetAgrees(p, v, l.layout, l.cuts, key)
			}
		}
	}
}

func offsetAgrees(p *Probe, v drawing, l layout, cuts []int, key philox.Key) {
	n, row := l.shape[0], size(l.shape[1:])
	x, g := p.put(p.random(n*row), l.kind, l.shape...), p.in(l.kind, l.shape...)
	viewed := p.put(x.v, l.kind, l.shape...)
	v.draw(p.dev, x.Tensor, g.Tensor, key)
	whole := p.get(x.Tensor)
	name := fmt.Sprintf("%s of %v from block %#x", v.name, l, key.First)
	p.nearValues(name, l.shape, whole, v.want(x.v, g.v, key), v.k)
	lo := 0
	for _, hi := range append(cuts, n) {
		shape := append([]int{hi - lo}, l.shape[1:]...)
		part, partG := p.put(x.v[lo*row:hi*row], l.kind, shape...), p.put(g.v[lo*row:hi*row], l.kind, shape...)
		v.draw(p.dev, part.Tensor, partG.Tensor, key.From(lo*row))
		p.same(fmt.Sprintf("%s, rows %d:%d alone", name, lo, hi), part.Tensor, whole[lo*row:hi*row])
		v.draw(p.dev, p.dev.Rows(viewed.Tensor, lo, hi), p.dev.Rows(g.Tensor, lo, hi), key.From(lo*row))
		lo = hi
	}
	p.same(name+", by views", viewed.Tensor, whole)
}

// offsetChain: chains of a part of the images, planned by themselves, draw with From what those of
// the whole draw, run after run with keys that begin elsewhere; and a step may use its key From
// somewhere. 37 images make slices of several sizes, and the gradient is movingChain's: every bit agrees.
func offsetChain(p *Probe) {
	const steps, images, cut = 3, 37, 14
	row := []int{3, 5, 4}
	target := p.in(backend.Image, append([]int{images}, row...)...)
	mover := func(lo, hi int) (x backend.Tensor, step func(int, philox.Key)) {
		shape := append([]int{hi - lo}, row...)
		x, g, y := p.alloc(backend.Image, shape...), p.alloc(backend.Image, shape...), p.dev.Rows(target.Tensor, lo, hi)
		return x, func(_ int, key philox.Key) {
			p.dev.LeakyReLUGrad(g, y, x, 0.2)
			p.dev.Axpy(g, -1, x)
			p.dev.SGLDStep(x, g, key, backend.SGLD{StepSize: 0.1, Noise: 0.1})
			p.dev.SGLDStep(x, g, key.From(images*size(row)), backend.SGLD{Noise: 0.1})
		}
	}
	x, step := mover(0, images)
	plain := backend.PlainChain{Steps: steps, Step: step}
	type part struct {
		x      backend.Tensor
		chain  backend.Chain
		lo, hi int
	}
	var parts []part
	for _, r := range [][2]int{{0, images}, {0, cut}, {cut, images}} {
		x, step := mover(r[0], r[1])
		chain := backend.NewChain(p.dev, steps, step)
		defer chain.Close()
		parts = append(parts, part{x, chain, r[0], r[1]})
	}
	for run, first := range append(firsts(), 7, 7) {
		start, key := p.random(images*size(row)), p.key()
		key.First = first
		p.dev.Upload(x, start)
		plain.Run(key)
		want := p.get(x)
		for _, c := range parts {
			lo, hi := c.lo*size(row), c.hi*size(row)
			p.dev.Upload(c.x, start[lo:hi])
			c.chain.Run(key.From(lo))
			p.same(fmt.Sprintf("run %d, images %d:%d from block %#x", run, c.lo, c.hi, first), c.x, want[lo:hi])
		}
	}
}
