package cpu

// The passes of norm over one plane of one image. A planar plane is one channel, a blocked
// one 16 of them side by side: element j of a row belongs to channel j & (pixel−1).

func (p *norm) run(op func(p *norm, i int)) {
	p.op = op
	p.d.workers.run(p.n*p.g.blocks, p)
}

func (p *norm) part(i, _ int) { p.op(p, i) }

// row is row h of plane i in data.
func (p *norm) row(data []float32, i, h int) []float32 {
	off := i/p.g.blocks*p.g.image + i%p.g.blocks*p.g.plane + p.g.origin + h*p.g.row
	return data[off:][:p.g.w*p.g.pixel]
}

// of is the part of a statistic that belongs to plane i.
func (p *norm) of(s []float64, i int) []float64 {
	return s[i*p.g.pixel:][:p.g.pixel]
}

func (p *norm) sum(i int) {
	var acc [block]float64
	mask := p.g.pixel - 1
	for h := range p.g.h {
		for j, v := range p.row(p.x, i, h) {
			acc[j&mask&(block-1)] += float64(v)
		}
	}
	copy(p.of(p.s1, i), acc[:])
}

func (p *norm) centredSquares(i int) {
	var acc, mu [block]float64
	copy(mu[:], p.of(p.mu, i))
	mask := p.g.pixel - 1
	for h := range p.g.h {
		for j, v := range p.row(p.x, i, h) {
			c := j & mask & (block - 1)
			e := float64(v) - mu[c]
			acc[c] += e * e
		}
	}
	copy(p.of(p.s1, i), acc[:])
}

func (p *norm) normalise(i int) {
	var mu, scale, shift [block]float64
	copy(mu[:], p.of(p.mu, i))
	for c, r := range p.of(p.rstd, i) {
		channel := i%p.g.blocks*p.g.pixel + c
		scale[c] = r * p.affine(p.gamma, channel)
		shift[c] = p.affine(p.beta, channel)
	}
	mask := p.g.pixel - 1
	for h := range p.g.h {
		y := p.row(p.y, i, h)
		for j, v := range p.row(p.x, i, h) {
			c := j & mask & (block - 1)
			y[j] = float32((float64(v)-mu[c])*scale[c] + shift[c])
		}
	}
}

func (p *norm) gradSums(i int) {
	var s1, s2, mu, rstd [block]float64
	copy(mu[:], p.of(p.mu, i))
	copy(rstd[:], p.of(p.rstd, i))
	mask := p.g.pixel - 1
	for h := range p.g.h {
		dy := p.row(p.z, i, h)
		for j, v := range p.row(p.x, i, h) {
			c := j & mask & (block - 1)
			s1[c] += float64(dy[j])
			s2[c] += float64(dy[j]) * (float64(v) - mu[c]) * rstd[c]
		}
	}
	copy(p.of(p.s1, i), s1[:])
	copy(p.of(p.s2, i), s2[:])
}

func (p *norm) inputGrad(i int) {
	var gamma, mu, rstd, m1, m2 [block]float64
	copy(mu[:], p.of(p.mu, i))
	copy(rstd[:], p.of(p.rstd, i))
	copy(m1[:], p.of(p.s1, i))
	copy(m2[:], p.of(p.s2, i))
	for c := range p.g.pixel {
		gamma[c] = p.affine(p.gamma, i%p.g.blocks*p.g.pixel+c)
	}
	mask := p.g.pixel - 1
	for h := range p.g.h {
		dx, dy := p.row(p.y, i, h), p.row(p.z, i, h)
		for j, v := range p.row(p.x, i, h) {
			c := j & mask & (block - 1)
			xhat := (float64(v) - mu[c]) * rstd[c]
			dx[j] = float32((gamma[c]*float64(dy[j]) - m1[c] - xhat*m2[c]) * rstd[c])
		}
	}
}
