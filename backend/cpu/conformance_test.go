package cpu_test

import (
	"fmt"
	"testing"

	"jem/backend"
	"jem/backend/backendtest"
	"jem/backend/cpu"
	"jem/backend/cpu/asm"
)

// TestConformance holds every instruction set to the whole suite, with
// one thread and with three (which divide no power of two), and compares their digests:
// results do not depend on the number of threads, bit for bit. The CPU device lacks
// nothing; Winograd's transforms need a wider bound (docs/numerics.md).
func TestConformance(t *testing.T) {
	for isa := asm.Generic; isa <= asm.AVX512; isa++ {
		var digests map[string]string
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s_threads_%d", isa, threads), func(t *testing.T) {
				if isa > asm.Best() {
					t.Skipf("this machine has no %s", isa)
				}
				report := backendtest.Run(t, func() (backend.Device, error) {
					return cpu.Open(cpu.Options{ISA: isa.String(), Threads: threads})
				}, backendtest.Options{Short: testing.Short()})
				logNearest(t, report)
				digests = sameDigests(t, digests, report)
			})
		}
	}
}

// TestConformanceBF16 holds convolutions in bf16 to the suite with the device's own
// allowance, everywhere and in chains only, and compares the digests of one thread and three.
func TestConformanceBF16(t *testing.T) {
	if !asm.BF16(asm.Best()) {
		t.Skip("this machine has no AVX512_BF16")
	}
	for _, scope := range []string{"chain", "all"} {
		var digests map[string]string
		for _, threads := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s_threads_%d", scope, threads), func(t *testing.T) {
				report := backendtest.Run(t, func() (backend.Device, error) {
					return cpu.Open(cpu.Options{Threads: threads, Precision: "bf16", Scope: scope})
				}, backendtest.Options{Short: testing.Short(), Widen: cpu.Allowances()})
				logNearest(t, report)
				digests = sameDigests(t, digests, report)
			})
		}
	}
}

// logNearest prints the suite's cost and the answer nearest to its bound, with -v.
func logNearest(t *testing.T, report backendtest.Report) {
	var seconds float64
	var nearest backendtest.Result
	for _, r := range report.Results {
		seconds += r.Seconds
		if r.Ratio > nearest.Ratio {
			nearest = r
		}
	}
	t.Logf("%d checks, %.1f s; nearest to its bound: %s, %.2f of it at %s", len(report.Results), seconds, nearest.Path(), nearest.Ratio, nearest.Place)
}

// sameDigests compares the report's digests with earlier ones, if any, and returns its own.
func sameDigests(t *testing.T, earlier map[string]string, report backendtest.Report) map[string]string {
	digests := map[string]string{}
	for _, r := range report.Results {
		digests[r.Path()] = r.Digest
		if want, ok := earlier[r.Path()]; ok && want != r.Digest {
			t.Errorf("%s: other bits than with one thread", r.Path())
		}
	}
	return digests
}
