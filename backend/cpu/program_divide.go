package cpu

const (
	// usualWaveBytes is how much working memory a wave has at least images for, waveFewest how many it has
	// at least: parameter gradients of small feature maps lose with fewer what a sum costs.
	usualWaveBytes = 64 << 20
	waveFewest     = 32

	// cachedWeights is how many bytes of parameters, which Winograd's algorithm makes four times as many, may be
	// read again for each slice.
	cachedWeights = 16 << 20
	// A slice has sliceFewest to sliceMost images, if there are so many for each worker, and sliceLeast at least:
	// with fewer, reading the weights of layers with small feature maps takes longer than computing with them.
	sliceLeast, sliceFewest, sliceMost = 4, 8, 16
)

// divide chooses waves and slices.
func (p *program) divide() {
	p.first = len(p.calls)
	for i := range p.calls {
		if k := p.calls[i].kind; k == sums || k == settles {
			p.first = i
			break
		}
	}
	summed := p.first < len(p.calls)
	p.slice = p.sliceOf(p.images)
	switch {
	case p.coupled:
		p.first, p.wave = 0, p.images
	case summed:
		p.wave = p.waveOf()
		p.slice = p.sliceOf(p.wave)
		if p.normed || p.slice == 0 {
			p.first = 0 // a norm's gradients need the statistics of the whole wave
		}
	case p.slice == 0:
		p.first, p.wave = 0, p.waveOf()
	}
	if p.wave == 0 {
		p.cuts = p.cut(span{0, p.images})
	}
}

// waveOf is the number of images of a wave: a function of shapes alone, as sums depend on it.
func (p *program) waveOf() int {
	most := max(waveFewest, p.d.waveBytes/max(1, p.bytes()))
	return min(p.images, roundUp(evenly(p.images, most), p.unit))
}

// sliceOf is the most images of a slice of so many; 0 where slices don't serve.
func (p *program) sliceOf(images int) int {
	lanes := p.d.workers.n
	if p.weights > cachedWeights || images < sliceLeast*lanes || images < p.unit {
		return 0
	}
	fit := 3 * cacheSize() / (2 * lanes * max(1, p.bytes())) // somewhat more than the cache: measured
	fit = min(max(fit/sliceFewest*sliceFewest, sliceFewest), sliceMost)
	return roundUp(share(images, rounds(images, fit, lanes)*lanes), p.unit)
}

// rounds is how many slices of at most so many images each of some workers takes.
func rounds(images, most, workers int) int { return share(images, most*workers) }

// share is the larger share of n cut evenly into parts.
func share(n, parts int) int { return (n + parts - 1) / parts }

func roundUp(n, unit int) int { return share(n, unit) * unit }

// bytes is the working memory that an image takes, roughly: of all values that are alive at once.
func (p *program) bytes() int {
	change := make([]int, len(p.calls)+1)
	for _, v := range p.values {
		if v.begin >= 0 {
			change[v.begin] += 4 * v.t.perRow()
			change[v.end+1] -= 4 * v.t.perRow()
		}
	}
	now, most := 0, 0
	for _, c := range change {
		now += c
		most = max(most, now)
	}
	return most
}

// cut cuts images into slices, the same number for each worker. Those of the last round are halved if they are large:
// so a worker that has lost its core for a while keeps the others waiting for less.
func (p *program) cut(all span) []span {
	lanes := p.d.workers.n
	cuts := p.cuts[:0]
	n := all.hi - all.lo
	count := rounds(n, p.slice, lanes) * lanes
	for i := range count {
		c := span{all.lo + roundUp(i*n/count, p.unit), all.lo + min(roundUp((i+1)*n/count, p.unit), n)}
		half := c.lo + roundUp((c.hi-c.lo)/2, p.unit)
		switch {
		case c.lo >= c.hi:
		case i >= count-lanes && c.hi-half >= sliceFewest:
			cuts = append(cuts, span{c.lo, half}, span{half, c.hi})
		default:
			cuts = append(cuts, c)
		}
	}
	return cuts
}
