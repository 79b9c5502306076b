package asm

import (
	"os"
	"testing"
)

// onEachISA runs f for every instruction set as a subtest of its name. Those that this machine
// lacks are skipped, so that a list of skipped tests tells what was not tried.
func onEachISA(t *testing.T, f func(t *testing.T, isa ISA)) {
	onISA(t, Generic, f)
	onFastISAs(t, f)
}

// onFastISAs is onEachISA without the definition.
func onFastISAs(t *testing.T, f func(t *testing.T, isa ISA)) {
	onISA(t, AVX2, f)
	onISA(t, AVX512, f)
}

func onISA(t *testing.T, isa ISA, f func(t *testing.T, isa ISA)) {
	t.Run(isa.String(), func(t *testing.T) {
		if isa > Best() {
			t.Skipf("this machine has no %s", isa)
		}
		f(t, isa)
	})
}

// onBF16ISAs is onEachISA for those with kernels for bf16.
func onBF16ISAs(t *testing.T, f func(t *testing.T, isa ISA)) {
	onISA(t, Generic, f)
	t.Run(AVX512.String(), func(t *testing.T) {
		if !BF16(AVX512) {
			t.Skip("this machine has no AVX512_BF16")
		}
		f(t, AVX512)
	})
}

// TestLevel says what this machine has and, where JEM_TEST_LEVEL names a level, fails on any
// other: tests that are held down to a level (scripts/test-levels.sh) pass on no other one.
func TestLevel(t *testing.T) {
	level := Best().String()
	if BF16(Best()) {
		level += "-bf16"
	}
	t.Logf("level %s", level)
	if want := os.Getenv("JEM_TEST_LEVEL"); want != "" && want != level {
		t.Errorf("want level %s", want)
	}
}
