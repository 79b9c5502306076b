package toy

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/config/settings"
	"jem/internal/fault"
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
// below 2/36 = 0.056 nats, of 1.9 that the uniform density is away. Chains that don't follow the model's own density leave it far above.
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

// FuzzRead: whatever comes is points that can be trained on, or an error.
func FuzzRead(f *testing.F) {
	f.Add([]byte(strings.Repeat("1,2,a\n3,4,b\n", 6)))
	f.Add([]byte("x,y,c\n1,\"2\",a\n"))
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
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("window %+v", w)
			}
		}
	})
}
