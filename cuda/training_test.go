//go:build cuda && linux && amd64

package cuda_test

import (
	"fmt"
	"math"
	"testing"

	"jem/cuda"
	"jem/internal/golden"
	"jem/train"
)

// The recorded training steps of the official code, with each engine. The tolerances are
// golden's own, and few units lie so near a kink that rounding may put them on its other side.
func TestGoldenSteps(t *testing.T) {
	for _, name := range []string{"jem_wrn10_1", "jem_joint_wrn10_2", "jem_sgd_wrn16_1"} {
		step, err := golden.Read("../internal/golden/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, engine := range []string{"graph", "legacy"} {
			t.Run(name+" "+engine, func(t *testing.T) {
				out, err := train.Replay(open(t, cuda.Options{ConvEngine: engine}), step)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range out.Groups {
					if !c.OK {
						t.Errorf("%s differs from the official arithmetic: %s", c.Group, c)
					}
				}
				if k := out.Kinks; k.Flipped > 3 || k.Max > k.Bound {
					t.Errorf("kinks %+v, want at most 3 flipped, each within its bound", k)
				}
			})
		}
	}
}

// Thirty training steps beside the CPU's. Over the first ten the CPU's instruction sets differ
// from each other by 2e-8 of the loss, over all thirty, when chains have carried roundings far,
// by 5e-3: float32 here may differ by some times that. Rounding operands to 10 or 7 bits moves
// the loss by 1e-3 in ten steps and by 5e-2 in thirty. The loss falls from 2.4 to 0.1; a wrong
// term in a gradient moves it by tenths in the first steps.
func TestTrainingBesideTheCPU(t *testing.T) {
	const steps, early = 30, 10
	want, _ := trained(t, openCPU(t), steps, nil)
	for _, tc := range []struct {
		o         cuda.Options
		ten, full float64 // bounds on the differences
	}{
		{cuda.Options{}, 2e-7, 0.03},
		{cuda.Options{ConvEngine: "legacy"}, 2e-7, 0.03},
		{cuda.Options{Precision: "tf32", Scope: "all"}, 5e-3, 0.2},
		{cuda.Options{Precision: "bf16"}, 5e-3, 0.2},
		{cuda.Options{Precision: "bf16", Scope: "all"}, 5e-3, 0.2},
	} {
		t.Run(fmt.Sprintf("%s %s %s", tc.o.Precision, tc.o.Scope, tc.o.ConvEngine), func(t *testing.T) {
			got, _ := trained(t, open(t, tc.o), steps, nil)
			var worst [2]float64
			for i, r := range got {
				d, bound, at := math.Abs(r.L-want[i].L), tc.full, &worst[1]
				if i < early {
					bound, at = tc.ten, &worst[0]
				}
				if *at = math.Max(*at, d); !(d <= bound) {
					t.Fatalf("step %d: loss %.6f, on the CPU %.6f, bound %.2g", i+1, r.L, want[i].L, bound)
				}
			}
			t.Logf("losses from %.3f to %.3f, off by %.2g in ten steps and %.2g after", got[0].L, got[steps-1].L, worst[0], worst[1])
		})
	}
}
