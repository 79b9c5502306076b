package cpu

// source is how a convolution reads an Image tensor: in place where the tensor's own
// halo is wide enough, else (pictures, 5×5 windows, unusual padding) through a copy of
// one image with a wider border of zeros, made by the worker that needs it.
type source struct {
	geom    geometry // of the tensor
	blocked bool     // what is read has channels in blocks of 16
	planes  int      // channel blocks, or channels if not blocked
	pixel   int      // strides of what is read, in floats
	row     int
	plane   int
	origin  int         // of pixel (0,0) in its plane
	scratch [][]float32 // by worker, nil if read in place
}

// newSource plans reads of images of geometry g from lo pixels before the image to hi
// pixels after it, in both directions. A planar tensor is read planar unless blocked.
func newSource(g geometry, lo, hi int, blocked bool, d *Device) *source {
	s := &source{geom: g, blocked: blocked || g.blocked, planes: g.blocks, pixel: g.pixel, row: g.row, plane: g.plane, origin: g.origin}
	if g.blocked && lo <= 1 && hi <= 1 {
		return s
	}
	lo, hi = max(lo, 0), max(hi, 0)
	if s.blocked {
		s.planes, s.pixel = (g.c+block-1)/block, block
	}
	s.row = (lo + g.w + hi) * s.pixel
	s.plane = (lo + g.h + hi) * s.row
	s.origin = lo * (s.row + s.pixel)
	s.scratch = d.arenas(s.planes*s.plane + block)
	return s
}

// arenas allocates size floats for each worker, far enough apart that hardware
// prefetching for one does not disturb the next.
func (d *Device) arenas(size int) [][]float32 {
	const apart = 1024
	stride := (size+31)/32*32 + apart
	all := d.alloc(d.workers.n * stride)
	parts := make([][]float32, d.workers.n)
	for i := range parts {
		if all == nil {
			break // of a rehearsal
		}
		lo := i * stride
		parts[i] = all[lo : lo+size : lo+size]
	}
	return parts
}

// copied reports whether reading an image costs a copy.
func (s *source) copied() bool { return s.scratch != nil }

// image returns image n of t as the source's strides describe it.
func (s *source) image(t *tensor, n, worker int) []float32 {
	img := t.data[n*s.geom.image:]
	if !s.copied() {
		return img
	}
	dst := s.scratch[worker]
	g := &s.geom
	for c := range g.blocks {
		for h := range g.h {
			from := img[c*g.plane+g.origin+h*g.row:]
			if s.blocked && !g.blocked {
				to := dst[c/block*s.plane+s.origin+h*s.row+c%block:]
				for w, v := range from[:g.w] {
					to[w*block] = v
				}
				continue
			}
			copy(dst[c*s.plane+s.origin+h*s.row:], from[:g.w*g.pixel])
		}
	}
	return dst
}
