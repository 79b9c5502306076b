package cpu

import (
	"testing"

	"jem/backend/cpu/asm"
)

// onEachISA runs f for every instruction set as a subtest of its name. Those that this machine
// lacks are skipped, so that a list of skipped tests tells what was not tried.
func onEachISA(t *testing.T, f func(t *testing.T, isa asm.ISA)) {
	for isa := asm.Generic; isa <= asm.AVX512; isa++ {
		t.Run(isa.String(), func(t *testing.T) {
			if isa > asm.Best() {
				t.Skipf("this machine has no %s", isa)
			}
			f(t, isa)
		})
	}
}

// onLowISAs is onEachISA for those with kernels for bf16. The portable ones, their definition,
// are only for tests.
func onLowISAs(t *testing.T, f func(t *testing.T, isa asm.ISA)) {
	t.Run(asm.Generic.String(), func(t *testing.T) { f(t, asm.Generic) })
	t.Run(asm.AVX512.String(), func(t *testing.T) {
		if !asm.BF16(asm.AVX512) {
			t.Skip("this machine has no AVX512_BF16")
		}
		f(t, asm.AVX512)
	})
}
