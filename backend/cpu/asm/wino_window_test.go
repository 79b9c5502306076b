package asm

import (
	"math"
	"testing"
	"unsafe"
)

func TestWinoWindowsIsTheDefinition(t *testing.T) {
	const channels, apart = 3, 3*32 + 16
	g := integers(channels*9*16, 5)
	onEachISA(t, func(t *testing.T, isa ISA) {
		for stride, products := range map[int]int{1: WinoPoints, 2: WinoStridePoints} {
			run := func(isa ISA) []float32 {
				u, offs := make([]float32, products*apart), make([]int, products)
				for i := range offs {
					offs[i] = 4 * apart * (products - 1 - i)
				}
				WinoFor(isa).Windows[stride](&WinoWindows{
					G: pointer(g, 0), U: pointer(u, 16), Offs: unsafe.Pointer(&offs[0]), UChannel: 4 * 32, Channels: channels,
				})
				return u
			}
			want := run(Generic)
			for i, got := range run(isa) {
				// One rounding to float32 each, of sums that differ by float64's. Their
				// terms are less than 100.
				if math.Abs(float64(got-want[i])) > math.Abs(float64(want[i]))/(1<<23)+100.0/(1<<50) {
					t.Fatalf("%s, stride %d: element %d is %g, want %g", isa, stride, i, got, want[i])
				}
			}
		}
	})
}
