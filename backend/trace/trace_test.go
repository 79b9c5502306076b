package trace

import (
	"reflect"
	"testing"

	"jem/backend"
	"jem/backend/philox"
)

var _ backend.Device = (*Device)(nil)

// TestConvolutionsTellWhatTheyWereAsked goes through the verbs with and without what is optional.
func TestConvolutionsTellWhatTheyWereAsked(t *testing.T) {
	d := New()
	spec := backend.ConvSpec{N: 1, InC: 3, H: 8, W: 8, OutC: 16, Kernel: 3, Stride: 2, Pad: 1}
	w, b := d.New(backend.Dense, 16, 3, 3, 3), d.New(backend.Dense, 16)
	x, y := d.New(backend.Image, 5, 3, 8, 8), d.New(backend.Image, 5, 16, 4, 4)
	c := d.NewConv(spec, w, b)
	c.Forward(nil, y, x, nil)
	c.InputGrad(x, y, x, x)
	c.ParamGrad(w, b, x, y)
	spec.N = 5 // the call's batch, not the plan's
	want := []Call{
		{Op: "Conv.Forward", Reads: operands{x, w, b}, Writes: operands{y}, Conv: &ConvCall{Spec: spec, Bias: true, Act: true}},
		{Op: "Conv.InputGrad", Reads: operands{y, w, x, x}, Writes: operands{x}, Conv: &ConvCall{Spec: spec, Residual: true, Act: true}},
		{Op: "Conv.ParamGrad", Reads: operands{w, b, x, y}, Writes: operands{w, b}, Conv: &ConvCall{Spec: spec, Bias: true}},
	}
	if len(d.Calls()) != len(want) {
		t.Fatalf("%d calls, want %d", len(d.Calls()), len(want))
	}
	for i, got := range d.Calls() {
		got.plan = nil
		if !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%+v, want %+v", got, want[i])
		}
		if flops := 2.0 * 5 * 16 * 4 * 4 * 3 * 9; got.FLOPs() != flops {
			t.Errorf("%s: %g FLOP, want %g", got.Op, got.FLOPs(), flops)
		}
	}
}

// TestEveryVerbIsRecorded calls each method of the contract that works on tensors and looks
// for its name: a verb that isn't counted would make estimates too good.
func TestEveryVerbIsRecorded(t *testing.T) {
	quiet := map[string]bool{"Calls": true, "Close": true, "Forget": true, "Free": true, "Info": true, "Name": true, "New": true, "NewConv": true, "NewNorm": true, "NewWorking": true, "Pass": true, "Rows": true, "Taken": true, "View": true}
	d := New()
	v := reflect.ValueOf(d)
	tensorType := reflect.TypeFor[backend.Tensor]()
	for i := range v.NumMethod() {
		m := v.Type().Method(i)
		if quiet[m.Name] {
			continue
		}
		d.Forget()
		args := make([]reflect.Value, m.Type.NumIn()-1)
		for j := range args {
			in := m.Type.In(j + 1)
			args[j] = reflect.Zero(in)
			if in == tensorType {
				args[j] = reflect.ValueOf(d.New(backend.Dense, 2))
			}
		}
		v.Method(i).Call(args)
		if len(d.Calls()) != 1 || d.Calls()[0].Op != m.Name {
			t.Errorf("%s recorded %v", m.Name, d.Calls())
		}
	}
}

func TestDownloadsAreZero(t *testing.T) {
	d := New()
	got := []float32{1, 2}
	d.Normal(d.New(backend.Dense, 2), philox.Key{}, 0, 1)
	if err := d.Download(got, d.New(backend.Dense, 2)); err != nil || got[0] != 0 || got[1] != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// sizes are told by a machine on which an element of an image takes two bytes, any other one.
type sizes struct{}

func (sizes) InUse() (now, peak int64) { return 0, 0 }

func (sizes) TensorSize(kind backend.Kind, shape ...int) int64 {
	bytes := int64(1)
	if kind == backend.Image {
		bytes = 2
	}
	for _, n := range shape {
		bytes *= int64(n)
	}
	return bytes
}

func (sizes) ConvSize(s backend.ConvSpec) (own, shared int64) { return 1000, int64(s.N) }

// PassSize counts calls: eight bytes one, half of each kind.
func (sizes) PassSize(calls []backend.Call) [2]int64 {
	return [2]int64{int64(4 * len(calls)), int64(4 * len(calls))}
}

// Views take nothing, and of working memory the plans need the largest alone.
func TestWhatIsMadeIsAddedUp(t *testing.T) {
	build := func(d *Device) {
		x := d.New(backend.Image, 2, 3, 4, 4)
		w := d.New(backend.Dense, 8, 5)
		d.New(backend.Index, 7)
		d.Rows(x, 0, 1)
		d.View(w, 5, 5)
		for _, n := range []int{4, 9, 6} {
			d.NewConv(backend.ConvSpec{N: n}, w, nil)
		}
	}
	d := NewOn(sizes{})
	build(d)
	if got, want := d.Taken(), (Taken{Images: 192, Values: 47, Plans: 3009}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	d = New()
	build(d)
	if got := d.Taken(); got != (Taken{}) {
		t.Errorf("without sizes: %+v", got)
	}
}
