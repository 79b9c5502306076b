package cpu

import "jem/backend/cpu/asm"

// normPass is one pass of a norm over the pixels of its operands.
//
// The kernels work on 16 channels side by side: a plane of a blocked image, row by row. A
// planar plane is one row of one channel, dealt to the 16 lanes in turn; what doesn't fill
// all lanes goes through the kernels' definition.
type normPass struct {
	op         normOp
	dst, dy, x []float32
	lanes      []asm.NormPlane // one a worker
}

type normOp func(k *asm.Pointwise, dst, dy, x []float32, c *asm.NormPlane)

func passSum(k *asm.Pointwise, _, _, x []float32, c *asm.NormPlane)       { k.NormSum(x, c) }
func passSquares(k *asm.Pointwise, _, _, x []float32, c *asm.NormPlane)   { k.NormSquares(x, c) }
func passApply(k *asm.Pointwise, y, _, x []float32, c *asm.NormPlane)     { k.NormApply(y, x, c) }
func passGradSums(k *asm.Pointwise, _, dy, x []float32, c *asm.NormPlane) { k.NormGradSums(dy, x, c) }
func passInputGrad(k *asm.Pointwise, dx, dy, x []float32, c *asm.NormPlane) {
	k.NormInputGrad(dx, dy, x, c)
}

// run sets all operands, nil those that op doesn't have.
func (p *norm) run(op normOp, dst, dy, x []float32) {
	p.pass.op, p.pass.dst, p.pass.dy, p.pass.x = op, dst, dy, x
	p.d.workers.run(p.n*p.g.blocks, p)
}

// part is the pass over plane i.
func (p *norm) part(i, worker int) {
	c := &p.pass.lanes[worker]
	p.fetch(c, i)
	off := i/p.g.blocks*p.g.image + i%p.g.blocks*p.g.plane + p.g.origin
	if p.g.blocked {
		for h := range p.g.h {
			p.pass.row(&p.d.kernels, off+h*p.g.row, p.g.w*block, c)
		}
	} else {
		full := p.g.plane &^ (block - 1)
		p.pass.row(&p.d.kernels, off, full, c)
		p.pass.row(&p.d.definitions, off+full, p.g.plane-full, c)
	}
	p.deliver(c, i)
}

func (s *normPass) row(k *asm.Pointwise, off, n int, c *asm.NormPlane) {
	s.op(k, section(s.dst, off, n), section(s.dy, off, n), section(s.x, off, n), c)
}

// section is n elements of an operand, nil of none.
func section(x []float32, off, n int) []float32 {
	if x == nil {
		return nil
	}
	return x[off:][:n]
}

// fetch sets the lanes to the statistics of plane i.
func (p *norm) fetch(c *asm.NormPlane, i int) {
	p.spread(&c.Mu, p.mu, i)
	p.spread(&c.Scale, p.scale, i)
	p.spread(&c.Shift, p.shift, i)
	p.spread(&c.Slope, p.slope, i)
	c.Sum1, c.Sum2 = [block]float64{}, [block]float64{}
}

func (p *norm) spread(lanes *[block]float64, s []float64, i int) {
	for j := range lanes {
		lanes[j] = s[i*p.g.pixel+j%p.g.pixel]
	}
}

// deliver keeps the sums of plane i: of each lane, or of all lanes where they share the
// plane's channel.
func (p *norm) deliver(c *asm.NormPlane, i int) {
	sum1, sum2 := p.sum1[i*p.g.pixel:][:p.g.pixel], p.sum2[i*p.g.pixel:][:p.g.pixel]
	clear(sum1)
	clear(sum2)
	for j := range block {
		sum1[j%p.g.pixel] += c.Sum1[j]
		sum2[j%p.g.pixel] += c.Sum2[j]
	}
}
