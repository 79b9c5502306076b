package cpu

import (
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
)

func TestConvAlgoIsChosen(t *testing.T) {
	feature := backend.ConvSpec{N: 1, InC: 32, OutC: 32, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1}
	narrow, odd, strided, oddly, wide, picture := feature, feature, feature, feature, feature, feature
	narrow.InC, narrow.OutC = 16, 16
	odd.W = 7
	strided.Stride = 2
	oddly.Stride, oddly.H = 2, 7 // 4×4 outputs
	wide.Stride, wide.InC, wide.OutC = 2, 512, 512
	picture.InC = 3
	for _, c := range []struct {
		isa      asm.ISA
		algo     string
		spec     backend.ConvSpec
		winograd bool
	}{
		{asm.Generic, "", feature, true},
		{asm.Generic, "auto", narrow, false},
		{asm.Generic, "winograd", narrow, true},
		{asm.Best(), "", narrow, asm.Best() != asm.Generic},
		{asm.Best(), "direct", feature, false},
		{asm.Best(), "winograd", odd, false},
		{asm.Best(), "winograd", strided, true},
		{asm.Best(), "winograd", oddly, false},
		{asm.Best(), "winograd", wide, false},
		{asm.Best(), "winograd", picture, false},
	} {
		d := openDevice(t, Options{ISA: c.isa.String(), Threads: 1, ConvAlgo: c.algo})
		l := newLayer(d, c.spec)
		forward, input, _ := l.conv.Algorithms()
		for _, name := range []string{forward, input} {
			if want := "winograd-" + c.isa.String(); (name == want) != c.winograd {
				t.Errorf("%s, algorithm %q, %s: %s", c.isa, c.algo, specName(c.spec), name)
			}
		}
	}
	if _, err := Open(Options{ConvAlgo: "fft"}); err == nil {
		t.Error("opened with an unknown algorithm")
	}
}

// TestWinoGradParts: enough parts for threads, in chunks of many tiles, whatever the layer.
func TestWinoGradParts(t *testing.T) {
	d := openDevice(t, Options{ConvAlgo: "winograd", Threads: 1})
	for _, spec := range networkSpecs {
		l := newLayer(d, spec)
		p, ok := l.conv.(*conv).paramGrad.(*winoGrad)
		if !ok {
			continue
		}
		tiles := spec.N * p.tiles
		if p.chunks > 1 && tiles/p.chunks < winoGradChunk {
			t.Errorf("%s: %d chunks of %d tiles", specName(spec), p.chunks, tiles)
		}
		if p.chunks*p.splits() < winoGradParts && tiles >= 2*winoGradChunk*p.chunks {
			t.Errorf("%s: %d chunks of %d parts", specName(spec), p.chunks, p.splits())
		}
	}
	few := backend.ConvSpec{N: 1, InC: 32, OutC: 32, H: 8, W: 4, Kernel: 3, Stride: 1, Pad: 1}
	if _, _, name := newLayer(d, few).conv.Algorithms(); strings.HasPrefix(name, "winograd") {
		t.Errorf("%s for two tiles", name)
	}
}

// TestWinoPrefetchesItsMemory: all parts together are the memory that tiles touch.
func TestWinoPrefetchesItsMemory(t *testing.T) {
	d := testDevice(t, asm.Generic, 1)
	l := newLayer(d, backend.ConvSpec{N: 3, InC: 32, OutC: 32, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1})
	p := newWino(l.conv.(*conv), false, asm.WinoFor(asm.Generic))
	g := &l.tx.geom
	for _, c := range []struct {
		tiles, planes        span
		piece, stride, count int // in floats
	}{
		{span{0, 4}, span{0, 2}, 2 * g.h / 2 * g.row, g.plane, 2}, // one image
		{span{2, 4}, span{1, 2}, 4 * g.row, g.plane, 1},           // its lower half
		{span{1, 9}, span{0, 2}, 2 * g.plane, g.image, 3},         // parts of three
		{span{12, 12}, span{0, 2}, 0, 0, 0},                       // nothing
	} {
		a := p.aheadOf(l.tx, c.tiles, c.planes)
		if a.piece != 4*c.piece || a.stride != 4*c.stride || a.count != c.count {
			t.Errorf("tiles %v, planes %v: %+v, want %d pieces of %d floats, %d apart", c.tiles, c.planes, a, c.count, c.piece, c.stride)
		}
		if c.count == 0 {
			continue
		}
		const parts = 36
		w := a.walk(0, parts)
		for i := range parts {
			if begun := a.walk(i, parts); begun.base != w.base || begun.at != w.at {
				t.Errorf("tiles %v: part %d begins at %+v, the one before ends at %+v", c.tiles, i, begun, w)
			}
			from, _ := w.next(7, nil)
			if at := int(from - a.base); at < 0 || at >= a.stride*(a.count-1)+a.piece {
				t.Errorf("tiles %v: part %d begins %d bytes in", c.tiles, i, at)
			}
		}
	}
}

func TestWinoBlocks(t *testing.T) {
	for _, c := range []struct{ tiles, threads, want int }{
		{1, 4, 8}, {32, 1, 32}, {32, 2, 16}, {32, 3, 16}, {96, 2, 24}, {40, 2, 24}, {4096, 2, 32}, {1000, 1, 32},
	} {
		if got := winoBlockFor(c.tiles, c.threads); got != c.want || got > winoBlock {
			t.Errorf("%d tiles on %d threads: blocks of %d, want %d", c.tiles, c.threads, got, c.want)
		}
	}
}
