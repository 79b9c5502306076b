package replay

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/cpu/asm"
	"jem/train/step"
)

var goldenSteps = []string{"jem_wrn10_1", "jem_joint_wrn10_2", "jem_sgd_wrn16_1"}

func readGolden(t *testing.T, name string) *Step {
	t.Helper()
	s, err := Read("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openISA(t *testing.T, isa string) backend.Device {
	t.Helper()
	d, err := cpu.Open(cpu.Options{ISA: isa})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func replayGolden(t *testing.T, isa string, s *Step) Outcome {
	t.Helper()
	out, err := Repeat(openISA(t, isa), s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The three recorded steps of the official code, on every instruction set.
// The tolerances are golden's own. Each has about ten units within rounding of a kink, of
// which few should lie on the other side: roundings are mostly far below their bound.
func TestGoldenSteps(t *testing.T) {
	for _, name := range goldenSteps {
		step := readGolden(t, name)
		for isa := asm.Generic; isa <= asm.AVX512; isa++ {
			t.Run(name+" "+isa.String(), func(t *testing.T) {
				if isa > asm.Best() {
					t.Skipf("this machine has no %s", isa)
				}
				out := replayGolden(t, isa.String(), step)
				for _, c := range out.Groups {
					t.Log(c)
					if !c.OK {
						t.Errorf("%s differs from the official arithmetic", c.Group)
					}
				}
				t.Logf("kinks: %+v", out.Kinks)
				if k := out.Kinks; k.Flipped > 3 || k.Max > k.Bound {
					t.Errorf("kinks %+v, want at most 3 flipped, each within its bound", k)
				}
			})
		}
	}
}

// An error of 1 % of a tensor's largest entry, which is what a kink may make, stays an
// error: in gradients that kinks change, in others, and in a weight; in a step that has a
// kink besides, and in those that have none.
func TestKinksExcuseNoError(t *testing.T) {
	for _, tc := range []struct{ step, tensor string }{
		{"jem_joint_wrn10_2", "grad/f.layer1.0.conv2.weight"},
		{"jem_joint_wrn10_2", "grad/class_output.weight"},
		{"jem_wrn10_1", "grad/f.conv1.weight"},
		{"jem_sgd_wrn16_1", "param0/f.layer1.0.conv2.weight"},
	} {
		step := readGolden(t, tc.step)
		v := step.Tensors[tc.tensor].F32
		v[len(v)/3] += 0.01 * largest(v)
		out := replayGolden(t, "", step)
		i := slices.IndexFunc(out.Groups, func(c Comparison) bool { return c.Group == "grad" })
		if out.Groups[i].OK || out.OK() || out.Kinks != (Kinks{}) {
			t.Errorf("%s, %s: %s; kinks %+v, want a failure and none", tc.step, tc.tensor, out.Groups[i], out.Kinks)
		}
	}
}

func largest(values []float32) (m float32) {
	for _, v := range values {
		m = max(m, v, -v)
	}
	return m
}

// Gradients recorded with three ambiguous units on their other sides are explained by just
// these. The units are such that the effect of each, at least 3 tolerances, would show
// without the others'.
func TestKinksAreFound(t *testing.T) {
	step := readGolden(t, "jem_wrn10_1")
	r, units := differentiated(t, step)
	var seen []*unit
	for i := range units {
		c, err := r.flip(&units[i])
		if err != nil {
			t.Fatal(err)
		}
		if c.MaxRel > 3*c.Tolerance {
			seen = append(seen, &units[i])
		}
		if err := r.toggle(&units[i]); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) < 3 {
		t.Fatalf("%d of %d units have an effect, want 3", len(seen), len(units))
	}
	for _, u := range seen[:3] {
		if _, err := r.flip(u); err != nil {
			t.Fatal(err)
		}
	}
	for name, v := range r.got {
		if strings.HasPrefix(name, "grad/") {
			copy(step.Tensors[name].F32, v)
		}
	}
	again, _ := differentiated(t, step)
	if got, err := again.settle(); err != nil || got != kinks(units) {
		t.Errorf("found %+v, error %v, want %+v", got, err, kinks(units))
	}
}

// differentiated repeats a step up to its gradients and finds its ambiguous units.
func differentiated(t *testing.T, of *Step) (*replay, []unit) {
	t.Helper()
	r, err := newReplay(openISA(t, ""), of)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.differentiated(&step.Record{}); err != nil {
		t.Fatal(err)
	}
	units, err := r.ambiguous()
	if err != nil {
		t.Fatal(err)
	}
	return r, units
}

// Undone flips leave no trace: the gradients are the same bytes.
func TestRestoredUnits(t *testing.T) {
	r, units := differentiated(t, readGolden(t, "jem_sgd_wrn16_1"))
	if _, err := r.gradients(); err != nil {
		t.Fatal(err)
	}
	before := maps.Clone(r.got)
	for i := range units {
		if _, err := r.flip(&units[i]); err != nil {
			t.Fatal(err)
		}
	}
	changed := !maps.EqualFunc(before, r.got, slices.Equal[[]float32])
	if err := r.restore(units); err != nil {
		t.Fatal(err)
	}
	if !changed || !maps.EqualFunc(before, r.got, slices.Equal[[]float32]) {
		t.Errorf("%d flips change gradients: %v; restored they should be the same", len(units), changed)
	}
}

// τ is 16·2⁻²⁴ of the largest activation; negative activations are slope times their
// pre-activation.
func TestNearZero(t *testing.T) {
	const tau = 16 * 0x1p-24 * 2
	for _, tc := range []struct {
		value float32
		z     float64 // negative: not ambiguous
	}{
		{0, 0}, {tau, tau}, {tau * 1.001, -1}, {-tau * 0.125, tau / 2}, {-tau * 0.25, tau}, {-tau * 0.26, -1}, {1, -1}, {float32(math.NaN()), -1},
	} {
		found := nearZero([]float32{2, tc.value}, 0.25)
		switch {
		case tc.z < 0 && len(found) != 0:
			t.Errorf("%g is ambiguous: %+v", tc.value, found)
		case tc.z >= 0 && (len(found) != 1 || found[0].at != 1 || found[0].z != tc.z || found[0].bound != tau):
			t.Errorf("%g: found %+v, want |z| = %g of %g", tc.value, found, tc.z, tau)
		}
	}
	if found := nearZero([]float32{0, 0}, 0.2); found != nil {
		t.Errorf("a layer of zeros has ambiguous units: %+v", found)
	}
}
