package toy

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/comm"
	"jem/config/settings"
	"jem/internal/fault"
	"jem/model"
	"jem/train"
)

// made is what a set comes to, with settings changed.
func made(t *testing.T, name string, threads int, set ...string) *Result {
	t.Helper()
	dev, err := cpu.Open(cpu.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	return madeOn(t, dev, name, set...)
}

func madeOn(t *testing.T, dev backend.Device, name string, set ...string) *Result {
	t.Helper()
	var layers []settings.Layer
	for _, s := range set {
		layers = append(layers, settings.Option("test", s))
	}
	c, err := Settings(layers...)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := Drawn(name, c.Seed)
	if !ok {
		t.Fatal("no set ", name)
	}
	r, err := Make(context.Background(), dev, Options{Data: d, Settings: c})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// uniform is the KL of the truth from the uniform density on the window: what a model has to learn.
func uniform(r *Result) (kl float64) {
	area := (r.Window.X1 - r.Window.X0) * (r.Window.Y1 - r.Window.Y0)
	for _, log := range r.Truth.Density.Values {
		kl += math.Exp(log) * (log + math.Log(area)) * area / float64(len(r.Truth.Density.Values))
	}
	return kl
}

// TestDensityIsTheTruths: no class is lost. By Pinsker's inequality a KL of 2δ² bounds what the probability of any region may
// differ by δ. Each class has a third of the mass: with δ = 1/6 none can have lost half of it, so the KL is to be
// below 2/36 = 0.056 nats, of 1.8 that the uniform density is away. Chains that don't follow the model's own density leave it far above.
func TestDensityIsTheTruths(t *testing.T) {
	for _, c := range []struct {
		name string
		set  []string
		good bool
	}{
		{"as it is", nil, true},
		{"other points and noise", []string{"seed=3"}, true},
		{"noise of images, 0.01", []string{"sampler.noise=0.01", "train.steps=400"}, false},
		{"no move at all", []string{"sampler.step_size=1e-9", "sampler.noise=0", "train.steps=400"}, false},
		{"no log p(x)", []string{"objective.p_x=0", "objective.l2=0", "train.steps=400"}, false},
	} {
		r := made(t, "gaussians", 2, c.set...)
		all := uniform(r)
		t.Logf("%s: KL %.4f of %.3f nats, accuracy %.3f, the twin's %.3f", c.name, r.Truth.KL, all, r.JEM.Accuracy, r.Twin.Accuracy)
		if good := r.Truth.KL < 2./36 && r.Truth.KL > 0; good != c.good {
			t.Errorf("%s: KL %.4f of %.4f nats", c.name, r.Truth.KL, all)
		}
	}
}

// TestEachSetIsLearned: classes are told apart, held-out points are likelier than anything far out, and no place
// without points holds the mass: then the held-out points' log p(x) would be far below that of their own spread.
func TestEachSetIsLearned(t *testing.T) {
	for _, name := range Sets {
		r := made(t, name, 2)
		area := (r.Window.X1 - r.Window.X0) * (r.Window.Y1 - r.Window.Y0)
		median := r.HeldOutLogP[len(r.HeldOutLogP)/2]
		t.Logf("%s: accuracy %.3f, median log p(x) %.3f, uniform %.3f", name, r.JEM.Accuracy, median, -math.Log(area))
		if r.JEM.Accuracy < 0.95 || median < -math.Log(area) {
			t.Errorf("%s: accuracy %.3f, median of log p(x) %.3f", name, r.JEM.Accuracy, median)
		}
		for _, f := range r.Far {
			if f.Percentile > 1 {
				t.Errorf("%s: (%.2g,%.2g) is likelier than %.1f %% of the held-out points", name, f.X, f.Y, f.Percentile)
			}
		}
		last := r.Chains.At[len(r.Chains.At)-1]
		if len(last) != len(r.Chains.Class) || len(r.Chains.Steps) != len(r.Chains.At) || len(r.Snapshots) < 10 || r.Snapshots[len(r.Snapshots)-1].Step != r.Run.Steps {
			t.Errorf("%s: %d chains in the last frame, %d frames, %d snapshots", name, len(last), len(r.Chains.At), len(r.Snapshots))
		}
	}
}

// TestThreadsDoNotMatter, nor does how often it is done.
func TestThreadsDoNotMatter(t *testing.T) {
	short := []string{"train.steps=40"}
	a, b := made(t, "moons", 1, short...), made(t, "moons", 2, short...)
	a.Run, b.Run = Run{}, Run{}
	if !reflect.DeepEqual(a, b) {
		t.Error("two threads come to another result than one")
	}
}

// TestItEndsWhenAsked.
func TestItEndsWhenAsked(t *testing.T) {
	dev, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	c, err := Settings()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	d, _ := Drawn("rings", 1)
	if r, err := Make(ctx, dev, Options{Data: d, Settings: c, Watch: func(_ string, done, _ int) {
		if done == 3 {
			stop()
		}
	}}); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", r, err)
	}
}

// TestSettingsThatNeedImages are refused.
func TestSettingsThatNeedImages(t *testing.T) {
	for _, s := range []string{"dream.start=outliers objective.bce=1", "sampler.start=gaussian", "model.norm=batch", "data.limit=5", "optim.ema=0.9", "model.depht=2", "optim.lr=-1"} {
		var layers []settings.Layer
		for _, one := range strings.Fields(s) {
			layers = append(layers, settings.Option("test", one))
		}
		var wrong *settings.Error
		if _, err := Settings(layers...); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// TestRead: points of a file, with a line of names and without.
func TestRead(t *testing.T) {
	var text strings.Builder
	for i := range 12 {
		text.WriteString(strings.Repeat(" ", i%2) + []string{"1.5,-2e1,cat\n", "0, 3,dog\n"}[i%2])
	}
	for _, head := range []string{"", "x,y,label\n", "\ufeffx,y,label\n", "# of last week\n"} {
		d, err := Read("file", strings.NewReader(head+text.String()), 1)
		if err != nil {
			t.Errorf("%q: %v", head, err)
			continue
		}
		if !slices.Equal(d.Classes, []string{"cat", "dog"}) || len(d.Train.X) != 8 || len(d.HeldOut.X) != 4 {
			t.Errorf("%q: %+v", head, d)
		}
		for i, k := range d.Train.Class {
			if d.Train.X[i] != []float64{1.5, 0}[k] || d.Train.Y[i] != []float64{-20, 3}[k] {
				t.Errorf("%q: point %d of class %d at (%g,%g)", head, i, k, d.Train.X[i], d.Train.Y[i])
			}
		}
	}
}

// TestReadRefuses what is no table of points, with the line.
func TestReadRefuses(t *testing.T) {
	good := strings.Repeat("1,2,a\n3,4,b\n", 5)
	for text, want := range map[string]string{
		"":                                       "0 points",
		good[:30]:                                "has",
		good + "1,2\n":                           "line 11 has 2 columns",
		good + "1,z,a\n":                         `line 11 has "z"`,
		good + "1,NaN,a\n":                       `"NaN"`,
		good + "1,1e300,a\n":                     `"1e300"`,
		good + "1,2,\n":                          "line 11 has no class",
		good + "1,\"2,a\n":                       "CSV",
		"1\"2,3,a\n" + good:                      "CSV",
		good + "1,2," + strings.Repeat("a", 101): "line 11 has a class whose name",
		strings.Repeat("#", mostBytes+1):         "larger than 32 MiB",
		strings.Repeat("0,0,a\n1e-40,0,b\n", 6):  "multiply",
		strings.Repeat("1e9,0,a\n1e9,.1,b\n", 6): "subtract",
		strings.Repeat("1,2,a\n", 9) + "3,4,a\n": "one class",
		strings.Repeat("1,2,a\n1,2,b\n", 6):      "one place",
	} {
		_, err := Read("file", strings.NewReader(text), 1)
		if !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	var many strings.Builder
	for i := range 21 {
		many.WriteString("1,2," + string(rune('a'+i)) + "\n")
	}
	if _, err := Read("file", strings.NewReader(many.String()), 1); err == nil || !strings.Contains(err.Error(), "more than 20 classes") {
		t.Error(err)
	}
}

// TestTrainingHasWhatIsOutermost, and of each class a point: no held-out point lies beyond numbers, none is of a class never seen.
func TestTrainingHasWhatIsOutermost(t *testing.T) {
	text := strings.Repeat("0,0,a\n1e-8,1e-8,a\n", 20) + "1e20,0,a\n0,-1e20,a\n1,1,b\n1,1,b\n1,1,c\n"
	for seed := range uint64(20) {
		d, err := Read("file", strings.NewReader(text), seed)
		if err != nil {
			t.Fatal(err)
		}
		if p := d.Train; slices.Max(p.X) != 1e20 || slices.Min(p.Y) != -1e20 || slices.Index(p.Class, 1) < 0 || slices.Index(p.Class, 2) < 0 || len(p.X) != 30 {
			t.Errorf("seed %d: %+v", seed, p)
		}
	}
}

// TestNoNumbersEnd as a divergence, also behind the last step, where no step's guard sees them.
func TestNoNumbersEnd(t *testing.T) {
	dev, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	for _, set := range [][]string{{"train.steps=1", "optim.lr=1e30"}, {"train.steps=1", "sampler.clamp=false", "sampler.step_size=1e38"}} {
		var layers []settings.Layer
		for _, s := range set {
			layers = append(layers, settings.Option("test", s))
		}
		c, err := Settings(layers...)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := Drawn("moons", 1)
		var diverged *train.DivergedError
		if _, err := Make(context.Background(), dev, Options{Data: d, Settings: c}); !errors.As(err, &diverged) {
			t.Errorf("%v: %v", set, err)
		}
	}
}

// TestEpochsCount where no number of steps is given; grids lose no more than their seventh digit in a file.
func TestEpochsCount(t *testing.T) {
	r := made(t, "rings", 2, "train.steps=0", "train.epochs=3")
	if last := r.Snapshots[len(r.Snapshots)-1]; r.Run.Steps != 21 || last.Step != 21 || len(r.Curve) != 21 {
		t.Errorf("%d steps, %d records, the last snapshot of step %d", r.Run.Steps, len(r.Curve), last.Step)
	}
	text, err := json.Marshal(r.Density)
	var g Grid
	if err := errors.Join(err, json.Unmarshal(text, &g)); err != nil || g.W != gridSide || len(g.Values) != len(r.Density.Values) {
		t.Fatal(err, g.W, len(g.Values))
	}
	for i, v := range r.Density.Values {
		if math.Abs(g.Values[i]-v) > 5e-6*math.Abs(v) { // half a unit of the sixth digit, at the least 1e-5 of the number
			t.Fatalf("%v is read as %v", v, g.Values[i])
		}
	}
}

// TestLogZIsThatOfTheData's units: log p(x) + log Z is the logits' LogSumExp.
func TestLogZIsThatOfTheDatasUnits(t *testing.T) {
	dev, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	c, err := Settings()
	if err != nil {
		t.Fatal(err)
	}
	d, _ := Drawn("gaussians", 1)
	p := around(d.Train)
	m := &maker{dev: dev, plane: p, cfg: c, result: &Result{Classes: d.Classes, Train: d.Train, Window: p.window()}}
	tr, err := train.New(dev, c, m.sources(), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	g, _, logZ, err := m.density(tr.Model(), 8)
	if err != nil {
		t.Fatal(err)
	}
	f, err := m.logits(tr.Model(), cells(8))
	if err != nil {
		t.Fatal(err)
	}
	sum, w := 0.0, p.window()
	for i, v := range g.Values {
		z := model.LogSumExp(f[3*i : 3*i+3])
		sum += math.Exp(z) * (w.X1 - w.X0) * (w.Y1 - w.Y0) / 64
		if math.Abs(v+logZ-z) > 1e-12 { // a few roundings of numbers below 10
			t.Fatalf("log p(x) + log Z = %v, f = %v", v+logZ, z)
		}
	}
	if math.Abs(logZ-math.Log(sum)) > 1e-12 {
		t.Errorf("log Z = %v, the integral's %v", logZ, math.Log(sum))
	}
}

// FuzzRead: whatever comes is points that can be trained on, or an error.
func FuzzRead(f *testing.F) {
	f.Add([]byte(strings.Repeat("1,2,a\n3,4,b\n", 6)))
	f.Add([]byte("x,y,c\n1,\"2\",a\n"))
	f.Add([]byte("1\"2,3,a\n"))
	f.Add([]byte(strings.Repeat("1e-320,2,a\n0,2,b\n", 6)))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Read("file", strings.NewReader(string(text)), 1)
		if err != nil {
			if !errors.Is(err, fault.ErrBad) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		p := around(d.Train)
		w := p.window()
		for _, v := range []float64{w.X0, w.X1, w.Y0, w.Y1} {
			if math.IsNaN(v) || math.IsInf(v, 0) || w.X0 >= w.X1 || w.Y0 >= w.Y1 {
				t.Fatalf("window %+v", w)
			}
		}
	})
}
