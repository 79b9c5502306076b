package cpu

import (
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// feature is a layer whose parameter gradient the fixed rule is not sure of, and, with
// portable kernels, of nothing.
var feature = backend.ConvSpec{N: 1, InC: 32, OutC: 32, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1}

const featureKey = "conv 32to32 8x8 k3 s1 p1 n1, "

// openChoices is in how many directions a feature is measured.
func openChoices() int {
	if asm.Best() == asm.Generic {
		return 3
	}
	return 1
}

// memo is a backend.ChoiceMemo in memory.
type memo map[string]string

func (m memo) Recall(plan string) string   { return m[plan] }
func (m memo) Keep(plan, algorithm string) { m[plan] = algorithm }

// measuring is a device that "measures" as the test wants and counts how often.
func measuring(t *testing.T, m memo, winner int) (d *Device, asked *int) {
	t.Helper()
	d, asked = openDevice(t, Options{Threads: 1, Memo: m}), new(int)
	d.measure = func(*conv, direction, []candidate) int { *asked++; return winner }
	return d, asked
}

func TestOnlyUnsureLayersAreMeasuredAndOnlyOnce(t *testing.T) {
	picture := feature
	picture.InC, picture.OutC = 3, 16 // one algorithm only
	d, asked := measuring(t, memo{}, 1)
	for _, spec := range []backend.ConvSpec{picture, feature, feature} {
		newLayer(d, spec)
	}
	if *asked != openChoices() {
		t.Errorf("%d measurements, want %d", *asked, openChoices())
	}
	made, isa := d.Choices(), asm.Best().String()
	if got := made[featureKey+"parameter gradient"]; got != "direct-"+isa {
		t.Errorf("%q, but direct was measured to be faster", got)
	}
	if got := made[featureKey+"forward"]; openChoices() == 1 && got != "winograd-"+isa {
		t.Errorf("%q without measurement", got)
	}
	if len(made) != 6 {
		t.Errorf("%d choices of two layers: %v", len(made), made)
	}
}

func TestAFamilyThatIsAskedForIsNotMeasured(t *testing.T) {
	for _, algo := range []string{"direct", "winograd"} {
		d := openDevice(t, Options{ConvAlgo: algo, Memo: memo{}})
		d.measure = func(*conv, direction, []candidate) int { t.Error("measured"); return 0 }
		l := newLayer(d, feature)
		if forward, _, _ := l.conv.Algorithms(); !strings.HasPrefix(forward, algo) {
			t.Errorf("%s: %s", algo, forward)
		}
	}
}

// What one device chose another one uses without measuring, and says so; what it can't use
// it chooses itself.
func TestChoicesCanBeUsedAgain(t *testing.T) {
	first, _ := measuring(t, memo{}, 1)
	newLayer(first, feature)
	second, asked := measuring(t, memo{}, 0)
	list := first.Choices()
	second.UseChoices(list)
	list[featureKey+"parameter gradient"] = "the caller's own copy"
	newLayer(second, feature)
	if *asked != 0 || !maps.Equal(first.Choices(), second.Choices()) {
		t.Errorf("after %d measurements %v, want %v", *asked, second.Choices(), first.Choices())
	}
	third, asked := measuring(t, memo{}, 0)
	foreign := first.Choices()
	for key := range foreign {
		foreign[key] = "direct-sve"
	}
	third.UseChoices(foreign)
	newLayer(third, feature)
	if *asked != openChoices() || maps.Equal(first.Choices(), third.Choices()) {
		t.Errorf("after %d measurements %v", *asked, third.Choices())
	}
}

// A memo saves the next device the measurement, unless what it recalls makes no sense.
func TestWhatWasMeasuredIsKept(t *testing.T) {
	m := memo{}
	first, _ := measuring(t, m, 1)
	newLayer(first, feature)
	if len(m) != openChoices() {
		t.Errorf("kept %v, want %d choices", m, openChoices())
	}
	second, asked := measuring(t, m, 0)
	newLayer(second, feature)
	if *asked != 0 || !maps.Equal(first.Choices(), second.Choices()) {
		t.Errorf("after %d measurements %v, want %v", *asked, second.Choices(), first.Choices())
	}
	for plan := range m {
		m[plan] = "garbage"
	}
	third, asked := measuring(t, m, 1)
	newLayer(third, feature)
	if *asked != openChoices() || !maps.Equal(first.Choices(), third.Choices()) {
		t.Errorf("after %d measurements %v, want %v", *asked, third.Choices(), first.Choices())
	}
}

func TestTheUsualAlgorithmWinsTies(t *testing.T) {
	for _, c := range []struct {
		best []time.Duration
		want int
	}{
		{[]time.Duration{100}, 0},
		{[]time.Duration{100, 96}, 0}, // less than 5 % better: noise
		{[]time.Duration{100, 95}, 1},
		{[]time.Duration{100, 90, 80}, 2},
		{[]time.Duration{100, 90, 91}, 1},
		{[]time.Duration{100, 300}, 0},
	} {
		if got := winner(c.best); got != c.want {
			t.Errorf("%v: %d, want %d", c.best, got, c.want)
		}
	}
}

func TestTheUsualAlgorithmIsGivenUpWithDelay(t *testing.T) {
	usual, other := []time.Duration{100, 200}, []time.Duration{200, 100}
	for _, c := range []struct {
		best  []time.Duration
		turns int
		spent time.Duration
		want  bool
	}{
		{usual, 2, time.Hour, false}, {usual, 3, 0, false}, {usual, 3, time.Hour, true}, {usual, 50, measureTime - 1, false},
		{other, 3, time.Hour, false}, {other, 11, time.Hour, false}, {other, 12, 0, true},
	} {
		if got := decided(c.best, c.turns, c.spent); got != c.want {
			t.Errorf("%v after %d turns in %v: %v", c.best, c.turns, c.spent, got)
		}
	}
}

// A real measurement chooses a candidate and leaves no trace: parameters that are set after
// planning count, whatever was packed meanwhile.
func TestMeasuringLeavesNoTrace(t *testing.T) {
	m := memo{}
	d := openDevice(t, Options{ISA: "generic", Threads: 1, Memo: m})
	w, b := d.New(backend.Dense, 32, 32, 3, 3), d.New(backend.Dense, 32)
	c := d.NewConv(feature, w, b)
	if len(m) != 3 || !maps.Equal(m, d.Choices()) {
		t.Errorf("measured %v, chose %v", m, d.Choices())
	}
	plain := newLayer(testDevice(t, asm.Generic, 1), feature)
	d.Upload(w, plain.w)
	d.Upload(b, plain.b)
	x, y := d.New(backend.Image, 1, 32, 8, 8), d.New(backend.Image, 1, 32, 8, 8).(*tensor)
	d.Upload(x, plain.x)
	c.Forward(y, nil, x, nil)
	want := plain.newY()
	plain.conv.Forward(want, nil, plain.tx, nil)
	// Both algorithms keep within 64·u·Σ|ab| ≤ 64·2⁻²⁴·288·max|a|·max|b| of the truth.
	bound := 2 * 64.0 / (1 << 24) * 288 * largest(plain.x) * largest(plain.w)
	for i, v := range y.data {
		if e := math.Abs(float64(v - want.data[i])); e > bound {
			t.Fatalf("element %d: %v, without measurement %v", i, v, want.data[i])
		}
	}
}

func largest(v []float32) (m float64) {
	for _, x := range v {
		m = max(m, math.Abs(float64(x)))
	}
	return m
}

// However large a layer is, it is measured on no more than the limits say.
func TestMeasurementsAreBounded(t *testing.T) {
	d := testDevice(t, asm.Generic, 1)
	for _, c := range []struct {
		spec   backend.ConvSpec
		images int
	}{
		{feature, 1},
		{backend.ConvSpec{N: 30, InC: 320, OutC: 320, H: 32, W: 32, Kernel: 3, Stride: 2, Pad: 1}, measureFewest},
		{backend.ConvSpec{N: 30, InC: 64, OutC: 64, H: 16, W: 16, Kernel: 3, Stride: 1, Pad: 1}, 28}, // work
		{backend.ConvSpec{N: 250, InC: 16, OutC: 16, H: 32, W: 32, Kernel: 1, Stride: 1}, 120},       // memory
	} {
		l := newLayer(d, c.spec)
		if n := l.conv.(*conv).trial().x.shape[0]; n != c.images {
			t.Errorf("%s is measured on %d images, want %d", specName(c.spec), n, c.images)
		}
	}
}
