package cpu

import (
	"math/rand/v2"
	"testing"

	"jem/backend"
)

// anyProgram is one of some shapes, for a device with so many workers.
func anyProgram(r *rand.Rand, threads, waveBytes int) *program {
	p := &program{d: &Device{workers: &workers{n: threads}, waveBytes: waveBytes}, calls: make([]call, 4)}
	p.images = 1 + r.IntN(300)
	p.unit = 1 << r.IntN(7)
	p.normed, p.coupled = r.IntN(4) == 0, r.IntN(8) == 0
	p.weights = r.IntN(2 * cachedWeights)
	if r.IntN(2) == 0 {
		p.calls[r.IntN(4)].kind = sums
	}
	t, _ := shaped(backend.Dense, []int{p.images, 1 << r.IntN(20)})
	p.values = []value{{t: t, begin: 0, end: 3}}
	return p
}

// TestDivide: waves and slices cover the images once and in order, in multiples of the unit but for the
// last, no larger than planned. What sums depend on is the same for any number of workers.
func TestDivide(t *testing.T) {
	for seed := range uint64(2000) {
		waves := map[int]bool{}
		for _, threads := range []int{1, 2, 3, 5, 16, 64} {
			p := anyProgram(rand.New(rand.NewPCG(seed, 0)), threads, 1<<(seed%30))
			p.divide()
			checkDivision(t, p)
			if p.calls[0].kind == sums || p.calls[1].kind == sums || p.calls[2].kind == sums || p.calls[3].kind == sums {
				waves[p.wave] = true
			}
		}
		if len(waves) > 1 {
			t.Fatalf("seed %d: waves depend on the number of threads: %v", seed, waves)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkDivision(t *testing.T, p *program) {
	t.Helper()
	if p.wave == 0 && p.first != len(p.calls) || p.wave > p.images || p.coupled && p.wave != p.images || p.normed && p.wave > 0 && p.first > 0 {
		t.Errorf("waves of %d from call %d on, of %d images, coupled %v, normed %v", p.wave, p.first, p.images, p.coupled, p.normed)
	}
	for i := range p.calls {
		if k := p.calls[i].kind; k == sums && p.first > i {
			t.Errorf("call %d sums and comes before %d", i, p.first)
		}
	}
	if p.wave > 0 && p.wave < p.images && p.wave%p.unit != 0 {
		t.Errorf("waves of %d, units of %d", p.wave, p.unit)
	}
	if p.wave == 0 {
		checkCuts(t, p, span{0, p.images})
	}
	for lo := 0; p.wave > 0 && p.first > 0 && lo < p.images; lo += p.wave {
		checkCuts(t, p, span{lo, min(lo+p.wave, p.images)})
	}
}

func checkCuts(t *testing.T, p *program, all span) {
	t.Helper()
	p.cuts = p.cut(all)
	at := all.lo
	for i, c := range p.cuts {
		size := c.hi - c.lo
		last := i == len(p.cuts)-1
		if c.lo != at || size < 1 || size > p.slice || !last && size%p.unit != 0 {
			t.Errorf("slices %v of %v, at most %d, units of %d", p.cuts, all, p.slice, p.unit)
			return
		}
		at = c.hi
	}
	if at != all.hi {
		t.Errorf("slices %v of %v", p.cuts, all)
	}
}

// TestBytesOfValuesAlive are those of calls that overlap.
func TestBytesOfValuesAlive(t *testing.T) {
	p := &program{calls: make([]call, 4)}
	for _, v := range [][3]int{{-1, 3, 1000}, {0, 1, 10}, {1, 2, 20}, {2, 3, 5}} {
		x, _ := shaped(backend.Dense, []int{7, v[2]})
		p.values = append(p.values, value{t: x, begin: v[0], end: v[1]})
	}
	if got := p.bytes(); got != 4*30 {
		t.Errorf("an image takes %d bytes, want 120", got)
	}
}
