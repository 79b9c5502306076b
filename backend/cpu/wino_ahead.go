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

// share is part i of n: its address and the bytes to go on by in each of steps. If there
// is nothing to prefetch it is a place in use.
func (a *ahead) share(i, n, steps int, inUse unsafe.Pointer) (from, step uintptr) {
	total := a.piece * a.count
	if total == 0 {
		return uintptr(inUse), 0
	}
	at := total / n * i
	from = a.base + uintptr(at/a.piece*a.stride+at%a.piece)
	return from, uintptr((total/n + steps - 1) / steps)
}
