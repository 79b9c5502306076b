package cpu

// layout gives the strides of a weight tensor (OutC,InC,k,k) as a sweep sees it, from
// source channels to destination channels.
type layout struct {
	src, dst, row int // strides in floats
	srcs, dsts    int // channels
}

// packing is the region that packs a sweep's weights; part i is one group of one phase.
type packing sweep

// part implements region. The order is that of the kernel's sum.
func (k *packing) part(i, _ int) {
	s := (*sweep)(k)
	p, g := &s.phases[i/s.groups], i%s.groups
	width := s.blocks(g) * block
	first := g * s.kernels.Blocks * block
	dst := p.packed[first*p.depth:]
	channels := 1
	if s.src.blocked {
		channels = block
	}
	for plane := range s.src.planes {
		for _, ty := range p.tapsY {
			for i := range channels * len(p.tapsX) {
				c, tx := i%channels, i/channels // channels innermost …
				if s.window {
					c, tx = i/len(p.tapsX), i%len(p.tapsX) // … or taps
				}
				dst = s.packLanes(dst, plane*channels+c, ty, p.tapsX[tx], first, width)
			}
		}
	}
}

// packLanes writes the weights of one source channel and tap for lanes first …
// first+width−1 and returns the rest of dst. Padded channels have zeros.
func (s *sweep) packLanes(dst []float32, src int, ty, tx tap, first, width int) []float32 {
	row, rest := dst[:width], dst[width:]
	clear(row)
	if src >= s.weights.srcs {
		return rest
	}
	l := &s.weights
	if s.fold != nil && s.fold.taps > 0 {
		w := s.conv.w.data[src*l.src:]
		for i := range row {
			if t, channel, ok := s.fold.lane(first + i); ok {
				row[i] = w[channel*l.dst+t]
			}
		}
		return rest
	}
	w := s.conv.w.data[src*l.src+ty.k*l.row+first*l.dst+tx.k:]
	for i := range row[:min(width, l.dsts-first)] {
		row[i] = w[i*l.dst]
	}
	return rest
}

// packBias copies the bias into its lanes, zeros where there is none.
func (s *sweep) packBias() {
	if s.conv.b != nil && !s.transposed {
		copy(s.bias, s.conv.b.data)
	}
}
