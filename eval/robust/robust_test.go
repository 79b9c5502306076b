package robust

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"jem/backend/philox"
	"jem/eval/attack"
	"jem/internal/fault"
	"jem/model"
	"jem/predict"
	"jem/predict/predicttest"
)

// found attacks images of noise, with the classes that the network sees in them.
func found(ctx context.Context, t *testing.T, p *predict.Predictor, o Options, watch predict.Watch) (Result, error) {
	t.Helper()
	const n = 12
	o = o.settled()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	r := Result{Options: o}
	r.Found.Clean, r.Found.Labels = make([]float32, n*3072), make([]int32, n)
	philox.New(3, 0, philox.Test).FillUniform(r.Found.Clean, -1, 1)
	copy(p.Batch().Images, r.Found.Clean)
	logits, err := p.Batch().Forward(n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Found.Labels {
		for k := range 10 {
			if logits[i*10+k] > logits[i*10+int(r.Found.Labels[i])] {
				r.Found.Labels[i] = int32(k)
			}
		}
	}
	r.Samples = n
	return r, r.attack(ctx, p, watch)
}

func options(kind string) Options {
	return Options{Kind: kind, Norm: "linf", Epsilons: []float64{1, 64}, Steps: 4, Restarts: 1, Queries: 5, Chains: 1, Images: 12, Batch: 5, Seed: 1}
}

// Every attack gives a curve that begins with all images right and doesn't rise.
func TestEveryAttackGivesACurve(t *testing.T) {
	p := predicttest.Official(t)
	for _, kind := range Kinds {
		if kind == "pointwise" && testing.Short() {
			continue // thousands of answers
		}
		o := options(kind)
		if kind == "pointwise" {
			o.Batch = 12
		}
		r, err := found(context.Background(), t, p, o, nil)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if len(r.Points) != 3 || r.Points[0].Accuracy != 1 || r.Points[1].Accuracy < r.Points[2].Accuracy || r.Points[2].Epsilon != 64 {
			t.Errorf("%s: got %+v", kind, r.Points)
		}
		if kind == "pgd" && r.Points[2].Accuracy == 1 {
			t.Errorf("nothing was broken: %+v", r.Points)
		}
		for i, radius := range r.Found.Radius {
			size := attack.LInf.Length(r.Found.Images[i*3072:(i+1)*3072], r.Found.Clean[i*3072:(i+1)*3072])
			if size > radius+1e-6 { // +Inf where nothing was found
				t.Errorf("%s: image %d was changed by %g, its radius is %g", kind, i, size, radius)
			}
		}
	}
}

// An attack that was stopped goes on where it was and ends with what one finds that wasn't; and
// another attack's batches are not mistaken for its own.
func TestAttackGoesOn(t *testing.T) {
	p := predicttest.Official(t)
	whole, err := found(context.Background(), t, p, options("pgd"), nil)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	kept := options("pgd")
	kept.Folder = folder
	_, err = found(ctx, t, p, kept, func(about string, done, total int) {
		if about != "pgd on JEM-0" || total != 2*3 {
			t.Errorf("told of %d of %d, %s", done, total, about)
		}
		if done == 4 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "unfinished-pgd-*", "*.safetensors"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d finished batches, %v", len(files), err)
	}
	if err := os.WriteFile(files[1], []byte("cut"), 0o666); err != nil {
		t.Fatal(err)
	}
	other := kept
	other.Seed = 2
	if _, err := found(context.Background(), t, p, other, nil); err != nil {
		t.Fatal(err)
	}
	again, err := found(context.Background(), t, p, kept, nil)
	if err != nil || !reflect.DeepEqual(again.Found, whole.Found) || !reflect.DeepEqual(again.Points, whole.Points) {
		t.Errorf("%v: got %+v, want %+v", err, again.Points, whole.Points)
	}
	if err := again.Forget(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 1 { // the other's
		t.Errorf("left: %v", left)
	}
}

// Images made on a network that takes others, or knows other classes, are none for this one.
func TestTransferWantsNetworksThatAreAlike(t *testing.T) {
	network := func(change func(*model.Config)) func(*predict.Predictor) {
		return func(p *predict.Predictor) { change(&p.Net().Config) }
	}
	for name, change := range map[string]func(*predict.Predictor){
		"classes":  network(func(c *model.Config) { c.Classes = 7 }),
		"channels": network(func(c *model.Config) { c.InC = 1 }),
		"size":     network(func(c *model.Config) { c.Size = 28 }),
		"order of the classes": func(p *predict.Predictor) {
			p.Classes = slices.Clone(p.Classes)
			slices.Reverse(p.Classes)
		},
	} {
		from := predicttest.Official(t)
		change(from)
		o := options("pgd")
		o.From = from
		if _, err := Measure(context.Background(), predicttest.Official(t), o, nil); !errors.Is(err, fault.ErrBad) {
			t.Errorf("other %s: got %v", name, err)
		}
	}
}

// Images made against the network itself are those that break it; expectation over the noise
// of a target without noise changes nothing but rounding.
func TestTransferToItself(t *testing.T) {
	p := predicttest.Official(t)
	own, err := found(context.Background(), t, p, options("pgd"), nil)
	if err != nil {
		t.Fatal(err)
	}
	from := options("pgd")
	from.From = predicttest.Official(t)
	twin, err := found(context.Background(), t, p, from, nil)
	if err != nil || twin.Points[2].Accuracy > own.Points[2].Accuracy {
		t.Errorf("%v: got %+v, without transfer %+v", err, twin.Points, own.Points)
	}
	from.Kind, from.From = "boundary", p
	if _, err := found(context.Background(), t, p, from, nil); err == nil {
		t.Error("a transfer of the smallest change was accepted")
	}
	drawn := options("pgd")
	drawn.Draws = 2
	if r, err := found(context.Background(), t, p, drawn, nil); err != nil || math.Abs(r.Points[2].Accuracy-own.Points[2].Accuracy) > 0.1 {
		t.Errorf("%v: got %+v, want %+v", err, r.Points, own.Points)
	}
}

func TestWorstOfAttacks(t *testing.T) {
	p := predicttest.Official(t)
	a, err1 := found(context.Background(), t, p, options("pgd"), nil)
	b, err2 := found(context.Background(), t, p, options("square"), nil)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	report := NewReport(a, b)
	if len(report.Worst) != 1 || len(report.Worst[0].Points) != 3 {
		t.Fatalf("got %+v", report.Worst)
	}
	for i, at := range report.Worst[0].Points {
		if at.Accuracy > min(a.Points[i].Accuracy, b.Points[i].Accuracy) {
			t.Errorf("%g: worst %g of %g and %g", at.Epsilon, at.Accuracy, a.Points[i].Accuracy, b.Points[i].Accuracy)
		}
	}
}

func TestAttackOptionsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"kind": func(o *Options) { o.Kind = "fgsm" }, "chains": func(o *Options) { o.Chains = -1 },
		"refine": func(o *Options) { o.Refine = -1 }, "images": func(o *Options) { o.Images = -1 }, "draws": func(o *Options) { o.Draws = -1 },
	} {
		o := options("pgd")
		spoil(&o)
		if o.settled().check() == nil {
			t.Errorf("a wrong %s was accepted", name)
		}
	}
}

// A network that answers NaN gives no figure.
func TestAttackOnBrokenWeights(t *testing.T) {
	p := predicttest.Official(t)
	predicttest.Spoil(p)
	if _, err := found(context.Background(), t, p, options("pgd"), nil); !errors.Is(err, fault.ErrBad) {
		t.Errorf("got %v", err)
	}
	if _, err := Distal(context.Background(), p, DistalOptions{N: 1, Steps: 2, StepSize: 1, Confidence: 0.9}, nil); !errors.Is(err, fault.ErrBad) {
		t.Errorf("distal: got %v", err)
	}
}
