package cpu

// phase is the part of a sweep's output whose windows meet the kernel's taps alike: all
// of it, but for the gradient of a strided convolution.
type phase struct {
	y, x       int // first output pixel
	rows, cols int
	tapsY      []tap
	tapsX      []tap
	start      int   // of the first window's first read, from the source's pixel (0,0)
	offs       []int // bytes from there, one for each run of inner floats
	inner      int
	depth      int       // terms of an output's sum
	packed     []float32 // [group][depth][lane]
}

// plan lays out the reads of a phase. A blocked source gives 16 channels at each of the
// taps, a planar one a whole row of taps in one channel; a window kernel takes a row of
// taps for each channel.
func (p *phase) plan(s *sweep) {
	src := s.src
	lowY, lowX := lowest(p.tapsY), lowest(p.tapsX)
	p.start = lowY*src.row + lowX*src.pixel
	p.inner = block
	tapsX := p.tapsX
	if s.window || !src.blocked {
		tapsX = p.tapsX[:min(1, len(p.tapsX))]
	}
	if !src.blocked {
		p.inner = 1
		if !s.window {
			p.inner = len(p.tapsX)
		}
	}
	for c := range src.planes {
		for _, ty := range p.tapsY {
			for _, tx := range tapsX {
				p.offs = append(p.offs, 4*(c*src.plane+(ty.off-lowY)*src.row+(tx.off-lowX)*src.pixel))
			}
		}
	}
	p.depth = len(p.offs) * p.inner
	if s.window {
		p.depth *= len(p.tapsX)
	}
	p.packed = s.conv.d.alloc(p.depth*s.lanes + 1)
}
