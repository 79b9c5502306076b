package cpu

import (
	"math"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
	"jem/internal/allocs"
)

// TestProgramsAllocateNothing once they have run twice, however they are made.
func TestProgramsAllocateNothing(t *testing.T) {
	for _, threads := range []int{1, 3} {
		d := testDevice(t, asm.Best(), threads)
		net := newPictureNet(d, 40, 6, 10, true)
		half := d.Rows(net.x, 0, 20)
		for name, step := range map[string]func(int, philox.Key){
			"slices":     net.step,
			"one by one": func(k int, key philox.Key) { net.step(k, key); d.Clamp(half, -0.5, 0.5) },
		} {
			chain := d.NewChain(2, step)
			chain.Run(testKey)
			if n := allocs.PerRun(2, func() { chain.Run(testKey) }); n != 0 {
				t.Errorf("%s on %d threads: %v allocations a run", name, threads, n)
			}
		}
	}
}

// TestPassSize foretells the arenas.
func TestPassSize(t *testing.T) {
	for _, threads := range []int{1, 3} {
		for name, make := range map[string]func(net *pictureNet){
			"a chain":            func(n *pictureNet) { n.step(0, testKey); n.step(1, testKey) },
			"a pass":             func(n *pictureNet) { n.gradient(testKey, false) },
			"a pass with sums":   func(n *pictureNet) { n.gradient(testKey, true) },
			"a pass with a norm": func(n *pictureNet) { n.gradient(testKey, true); n.normalise(false) },
			"coupled images":     func(n *pictureNet) { n.gradient(testKey, true); n.normalise(true) },
		} {
			d := testDevice(t, asm.Best(), threads)
			net := newPictureNet(d, 70, 16, 16, true)
			foretold := d.PassSize(paperOf(d.record(func() { make(net) })))
			d.Pass(func() { make(net) })
			took := [2]int64{0, 4 * int64(len(d.arena.data))}
			for _, l := range d.lanes {
				took[0] += 4 * int64(len(l.arena.data))
			}
			for i := range took {
				if off := math.Abs(float64(foretold[i] - took[i])); off > 0.02*float64(took[i]) {
					t.Errorf("%s, %d threads: took %v bytes, foretold %v", name, threads, took, foretold)
				}
			}
			if took == [2]int64{} {
				t.Errorf("%s, %d threads: took nothing", name, threads)
			}
		}
	}
}

// normalise makes the calls of a norm.
func (n *pictureNet) normalise(batch bool) {
	d, spec := n.d, backend.NormSpec{Kind: backend.InstanceNorm, C: 32, H: n.top.geom.h, W: n.top.geom.w, Eps: 1e-5}
	vector := func() backend.Tensor { return upload(d, backend.Dense, normals(32), 32) }
	var norm backend.Norm
	if spec.Kind = backend.InstanceNorm; batch {
		spec.Kind = backend.BatchNorm
		norm = d.NewNorm(spec, vector(), vector(), vector(), vector())
	} else {
		norm = d.NewNorm(spec, vector(), vector(), nil, nil)
	}
	norm.Forward(n.top, n.out, backend.MovingStats)
}

// paperOf are recorded calls as PassSize has them.
func paperOf(calls []call) (paper []backend.Call) {
	for i := range calls {
		c := &calls[i]
		p := backend.Call{Sums: c.kind == sums, Couples: c.kind == couples, Norm: c.norm != nil}
		if c.conv != nil {
			p.Conv = &c.conv.spec
		}
		for _, o := range c.operands {
			if o.t == nil || o.t.store == nil {
				continue
			}
			if o.reads {
				p.Reads = append(p.Reads, o.t)
			}
			if o.writes {
				p.Writes = append(p.Writes, o.t)
			}
		}
		paper = append(paper, p)
	}
	return paper
}
