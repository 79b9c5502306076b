package cpu

// gradTotal is the region that adds the chunks' sums to dw and db; a part is one group
// and plane.
type gradTotal paramGrad

// part implements region.
func (t *gradTotal) part(i, _ int) {
	p := (*paramGrad)(t)
	g, plane := i/p.x.planes, i%p.x.planes
	total := p.sum(0, g, plane)
	bias := p.biasSum(0, g)
	for chunk := 1; chunk < min(p.chunks, p.call.n); chunk++ {
		for i, v := range p.sum(chunk, g, plane) {
			total[i] += v
		}
		if plane == 0 {
			for i, v := range p.biasSum(chunk, g) {
				bias[i] += v
			}
		}
	}
	p.addWeights(total, g, plane)
	if plane == 0 && p.call.db != nil {
		first, width := p.width(g)
		for i, v := range bias[:min(width, p.conv.spec.OutC-first)] {
			p.call.db.data[first+i] += v
		}
	}
}

// addWeights adds sums [tap][depth][lane] of a group and plane to dw (OutC,InC,k,k).
func (p *paramGrad) addWeights(sum []float32, g, plane int) {
	s := p.conv.spec
	kk := s.Kernel * s.Kernel
	first, width := p.width(g)
	for i := range p.planeSize() {
		// A blocked plane is [tap][channel], a planar one [tap row][tap column].
		c, k := plane*block+i%block, i/block
		if !p.x.blocked {
			c, k = plane, i
		}
		if c >= s.InC {
			continue
		}
		dw := p.call.dw.data[(first*s.InC+c)*kk+k:]
		for lane, v := range sum[i*width:][:min(width, s.OutC-first)] {
			dw[lane*s.InC*kk] += v
		}
	}
}
