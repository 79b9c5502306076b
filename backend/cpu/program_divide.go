package cpu

const (
	// waveBytes is how much working memory a wave has at least images for, waveFewest how many it has
	// at least: parameter gradients of small feature maps lose with fewer what a sum costs.

	waveBytes  = 64 << 20
	waveFewest = 32
	// cachedWeights is how many bytes of parameters, which Winograd's algorithm makes four times as many, may be
	// read again for each slice.
	cachedWeights = 16 << 20
	// sliceFewest and sliceMost are how many images a slice has: with fewer, reading the weights of layers with small
	// feature maps takes longer than computing with them.
	sliceFewest, sliceMost = 4, 16
)

// divide chooses waves and slices.
func (p *program) divide() {
	p.first = len(p.calls)
	for i := range p.calls {
		if p.calls[i].kind == sums {
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
	most := max(waveFewest, waveBytes/max(1, p.bytes()))
	waves := (p.images + most - 1) / most
	n := (p.images + waves - 1) / waves
	return min(p.images, (n+p.unit-1)/p.unit*p.unit)
}

// sliceOf is the number of images of a slice of so many; 0 where slices don't serve.
func (p *program) sliceOf(images int) int {
	lanes := p.d.workers.n
	if p.weights > cachedWeights || images < sliceFewest*lanes {
		return 0
	}
	fit := 3 * cacheSize() / (2 * lanes * max(1, p.bytes())) // somewhat more than the cache: measured
	n := min(max(sliceFewest, min(fit, sliceMost)), images/lanes) / sliceFewest * sliceFewest
	if n = n / p.unit * p.unit; n == 0 && p.unit <= images {
		n = p.unit
	}
	return n
}

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

// cut cuts images into slices. The last ones are smaller: so a worker that has lost its core for a while
// keeps the others waiting for little.
func (p *program) cut(all span) []span {
	cuts, size := p.cuts[:0], p.slice
	for at := all.lo; at < all.hi; at += size {
		left := all.hi - at
		if half := size / 2 / p.unit * p.unit; half >= sliceFewest && left <= p.d.workers.n*size {
			size = half
		}
		cuts = append(cuts, span{at, min(at+size, all.hi)})
	}
	return cuts
}
