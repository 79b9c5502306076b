package cpu

import (
	"runtime/debug"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// programBatches have no slices, one, several and remainders; and waves of their own.
func programBatches(isa asm.ISA) []int {
	if isa == asm.Generic {
		return []int{1, 3, 9, 17, 40}
	}
	return []int{1, 2, 3, 7, 8, 9, 17, 40, 70}
}

var programThreads = []int{1, 2, 3, 5}

func directDevice(t testing.TB, isa asm.ISA, threads int) *Device {
	return openDevice(t, Options{ISA: isa.String(), Threads: threads, ConvAlgo: "direct"})
}

// pictureSize is that of a batch's pictures: 1, 16 or, of odd ones, 64 of them fill groups of 64 numbers.
func pictureSize(batch int) (h, w int) {
	switch {
	case batch == 70:
		return 7, 5
	case batch == 17 || batch == 40:
		return 6, 10
	}
	return 8, 8
}

// TestProgramChains have the bits of their calls one by one, on any number of threads, with any batch, as
// often as they run, whatever other programs of the device have left behind and when the collector is busy.
func TestProgramChains(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		plain := directDevice(t, isa, 1)
		var devices []*Device
		for _, threads := range programThreads {
			devices = append(devices, directDevice(t, isa, threads))
		}
		for _, batch := range programBatches(isa) {
			h, w := pictureSize(batch)
			want := newPictureNet(plain, batch, h, w, false)
			steps := backend.PlainChain{Steps: 2, Step: want.step}
			steps.Run(testKey)
			first := want.results(t)
			steps.Run(testKey.At(1, 0))
			second := want.results(t)
			for _, d := range devices {
				got := newPictureNet(d, batch, h, w, true)
				chain := d.NewChain(2, got.step).(*chain)
				chain.Run(testKey)
				if sliced := chain.program.wave == 0; chain.program.whole || sliced != (batch >= sliceLeast*d.workers.n) {
					t.Errorf("batch %d, %d threads: sliced %v", batch, d.workers.n, sliced)
				}
				if !slices.Equal(got.results(t), first) {
					t.Errorf("batch %d, %d threads: other bits than one by one", batch, d.workers.n)
				}
				d.poisonArenas()
				chain.Run(testKey.At(1, 0))
				if !slices.Equal(got.results(t), second) {
					t.Errorf("batch %d, %d threads: other bits in the second run", batch, d.workers.n)
				}
				chain.Close()
				d.poisonArenas()
			}
		}
	})
}

// TestProgramChainsWithWideTiles: an image has the same bits in any batch and on any number of threads.
func TestProgramChainsWithWideTiles(t *testing.T) {
	onWideISAs(t, func(t *testing.T, isa asm.ISA) {
		var want [][]float32 // by picture
		for _, threads := range []int{1, 3} {
			d := testDevice(t, isa, threads)
			for _, batch := range []int{40, 17, 3, 1} {
				net := newPictureNet(d, batch, 16, 16, true)
				chain := d.NewChain(2, net.step)
				chain.Run(testKey)
				if net.last.(*conv).passes[chainedForward] == nil {
					t.Fatal("no wide tiles here")
				}
				x := slices.Collect(slices.Chunk(download(t, d, net.x), 3*16*16))
				if want == nil {
					want = x
				}
				for i := range x {
					if !slices.Equal(x[i], want[i]) {
						t.Fatalf("batch %d, %d threads: picture %d has other bits", batch, threads, i)
					}
				}
			}
		}
	})
}

// TestProgramPasses have the bits of their calls one by one but for sums over images: those are the same on
// any number of threads, and differ by roundings.
func TestProgramPasses(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		plain := testDevice(t, isa, 1)
		var devices []*Device
		for _, threads := range programThreads {
			d := testDevice(t, isa, threads)
			d.waveBytes = 0
			devices = append(devices, d)
		}
		for _, batch := range programBatches(isa) {
			h, w := pictureSize(batch)
			want := newPictureNet(plain, batch, h, w, false)
			want.gradient(testKey, true)
			var first *pictureNet
			for _, d := range devices {
				got := newPictureNet(d, batch, h, w, true)
				for _, sums := range []bool{false, true} {
					d.poisonArenas()
					d.Pass(func() { got.gradient(testKey, sums) })
					if !slices.Equal(got.results(t), want.results(t)) {
						t.Errorf("batch %d, %d threads, sums %v: other bits than one by one", batch, d.workers.n, sums)
					}
				}
				if first == nil {
					first = got
				}
				for i, g := range got.grads {
					if !slices.Equal(g.data, first.grads[i].data) {
						t.Errorf("batch %d, %d threads: gradient %d has other bits than on one thread", batch, d.workers.n, i)
					}
					if e := rms(g.data, want.grads[i].data) / rms(want.grads[i].data, nil); !(e < 1e-5) {
						t.Errorf("batch %d, %d threads: gradient %d is %.2g away", batch, d.workers.n, i, e)
					}
				}
			}
		}
	})
}
