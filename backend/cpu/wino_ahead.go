package cpu

import "unsafe"

// ahead is memory that will be needed soon: count pieces of the same size, stride apart.
// It only serves prefetching, so it may be a little off where tiles don't fill rows.
type ahead struct {
	base   uintptr
	piece  int // bytes
	stride int // bytes
	count  int
}

// aheadOf is where the given tiles of t lie, in planes [lo,hi) of channels.
func (p *tiling) aheadOf(t *tensor, tiles, planes span) ahead {
	if t == nil || tiles.lo >= tiles.hi {
		return ahead{}
	}
	g := &t.geom
	first, last := tiles.lo/p.tiles, (tiles.hi-1)/p.tiles
	a := ahead{piece: 4 * g.plane * (planes.hi - planes.lo), stride: 4 * g.image, count: last - first + 1}
	at := first*g.image + planes.lo*g.plane
	if first == last {
		y, end := tiles.lo%p.tiles/p.across, (tiles.hi-1)%p.tiles/p.across+1
		rows := g.h * p.across / p.tiles // of a tile
		at += g.origin - block + y*rows*g.row
		a.piece, a.stride, a.count = 4*(end-y)*rows*g.row, 4*g.plane, planes.hi-planes.lo
	}
	a.base = uintptr(unsafe.Pointer(&t.data[at]))
	return a
}

// walk goes through such memory in equal shares, without dividing anew for each.
type walk struct {
	ahead         // base is that of the present piece
	share, at int // bytes of a share; where the next one begins in the piece
	steps     int
	step      uintptr // share by steps
}

// walk begins at share i of n.
func (a ahead) walk(i, n int) walk {
	w := walk{ahead: a, share: a.piece * a.count / n}
	if w.share > 0 {
		w.base += uintptr(w.share * i / a.piece * a.stride)
		w.at = w.share * i % a.piece
	}
	return w
}

// next is where the next share begins, and the bytes to go on by in each of steps. If there is
// nothing to prefetch it is a place in use.
func (w *walk) next(steps int, inUse unsafe.Pointer) (from, step uintptr) {
	if w.share == 0 {
		return uintptr(inUse), 0
	}
	if steps != w.steps {
		w.steps, w.step = steps, uintptr((w.share+steps-1)/steps)
	}
	from = w.base + uintptr(w.at)
	for w.at += w.share; w.at >= w.piece; w.at -= w.piece {
		w.base += uintptr(w.stride)
	}
	return from, w.step
}
