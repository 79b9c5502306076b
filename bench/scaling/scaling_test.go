package scaling

import (
	"math"
	"testing"

	"jem/config"
)

// published is a step of the paper's network with so many images on a rank.
func published(t *testing.T, images int) Work {
	t.Helper()
	c := config.Default()
	c.Train.Batch = images
	w, err := Count(c, 3, 32, 10)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// machine is one that overlaps, with figures in whose ratio everything matters.
var machine = Machine{Rate: 200e12, Half: 8, Fixed: 1e-3, Bandwidth: 45e9, Latency: 1e-5, Ring: true, Bucket: 8 << 20, Overlap: true}

func TestCountIsThePapers(t *testing.T) {
	w := published(t, 64)
	c, params := config.Default(), 0
	for _, p := range c.Network(10, 3, 32).Layout() {
		n := 1
		for _, s := range p.Shape {
			n *= s
		}
		params += n
	}
	if w.Gradient() != 4*params {
		t.Errorf("%d bytes of gradients of %d parameters", w.Gradient(), params)
	}
	if tera := w.FLOPs() / 1e12; math.Abs(tera-37.33) > 0.005 {
		t.Errorf("%.3f TFLOP, want 37.33 to the last digit", tera)
	}
	if w.Chains != 64*3072*4 {
		t.Errorf("%d bytes of chains", w.Chains)
	}
	half := published(t, 32)
	if half.FLOPs() != w.FLOPs()/2 || half.Gradient() != w.Gradient() || half.Chains != w.Chains/2 || half.Logits != w.Logits/2 {
		t.Errorf("half the images: %+v of %+v", half.FLOPs(), w.FLOPs())
	}
}

func TestOneRankWaitsForNobody(t *testing.T) {
	w := published(t, 4)
	got := Foretell(w, machine, 1)
	want := machine.Fixed + w.FLOPs()/(machine.Rate*4/(4+8))
	if got.Waiting != 0 || got.Exchange != 0 || math.Abs(got.Step-want) > 1e-12*want {
		t.Errorf("%+v, want a step of %v", got, want)
	}
}

// TestSimulationOfEqualRanksIsTheFormula: both add the same terms, in another order.
func TestSimulationOfEqualRanksIsTheFormula(t *testing.T) {
	w := published(t, 2)
	for _, m := range []Machine{machine, {Rate: 1e12, Bandwidth: 1e8, Latency: 1e-3, Copy: 1e9, Add: 1e9, Bucket: 1 << 20}} {
		for _, ranks := range []int{1, 2, 7, 64} {
			formula, events := Foretell(w, m, ranks), Simulate(w, m, ranks, 3, 1)
			for name, pair := range map[string][2]float64{
				"step": {formula.Step, events.Step}, "compute": {formula.Compute, events.Compute},
				"exchange": {formula.Exchange, events.Exchange}, "waiting": {formula.Waiting, events.Waiting},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-9*formula.Step {
					t.Errorf("%d ranks, %s: %v by the formula, %v by events", ranks, name, pair[0], pair[1])
				}
			}
		}
	}
}

// TestSlowestRankIsWaitedFor: a stretch ends with the slowest of 64 ranks, whose expected lead in standard
// deviations is 2.35 for normal numbers; a step has a few such stretches, of which none is longer than all.
func TestSlowestRankIsWaitedFor(t *testing.T) {
	w, m := published(t, 2), machine
	m.Jitter = 0.05
	equal, uneven := Foretell(w, machine, 64), Simulate(w, m, 64, 20, 1)
	lead := (uneven.Step - equal.Step) / equal.Compute
	if lead < 0.2*2.35*0.05 || lead > 1.3*2.35*0.05 {
		t.Errorf("a spread of 5 %% among 64 ranks costs %.1f %% of computing", 100*lead)
	}
	if math.Abs(uneven.Compute-equal.Compute) > 0.01*equal.Compute { // 64·20·many numbers of mean 1
		t.Errorf("computing takes %v instead of %v", uneven.Compute, equal.Compute)
	}
}

// TestOverlapHidesSums: with a network that is fast enough only the last bucket is left to wait for.
func TestOverlapHidesSums(t *testing.T) {
	w := published(t, 8)
	hidden := Foretell(w, machine, 8)
	m := machine
	m.Overlap = false
	plain := Foretell(w, m, 8)
	if hidden.Exchange != plain.Exchange || hidden.Waiting > 0.5*plain.Waiting {
		t.Errorf("waiting %v with overlap, %v without", hidden.Waiting, plain.Waiting)
	}
}
