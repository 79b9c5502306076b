package train

import (
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/comm"
	"jem/feed/feedtest"
	"jem/internal/checkpoint"
	"jem/predict/weights"
)

// weightsOf are a trainer's weights for classes of such names, with the numbers from 0 on in the last layer.
func weightsOf(t *testing.T, tr *Trainer, classes []string) *weights.Weights {
	t.Helper()
	w := &weights.Weights{Config: tr.step.Net.Config, About: weights.About{Classes: classes}}
	for _, p := range tr.step.Net.Params.List {
		values := make([]float32, backend.Len(p.Value))
		if err := tr.dev.Download(values, p.Value); err != nil {
			t.Fatal(err)
		}
		if weights.Head(p.Name) {
			for i := range values {
				values[i] = float32(i)
			}
		}
		w.Params = append(w.Params, checkpoint.Tensor{Name: p.Name, Shape: p.Value.Shape(), F32: values})
	}
	return w
}

// The outputs of the last layer go to the classes of their names, whatever their order; a class that the
// weights don't know begins at random.
func TestTrainingBeginsWithOutputsByName(t *testing.T) {
	for _, c := range []struct {
		about   string
		theirs  []string
		outputs []int // that a, b, c and d begin with; −1: a random one
		head    bool
		note    string
	}{
		{"the same", []string{"a", "b", "c", "d"}, []int{0, 1, 2, 3}, false, ""},
		{"of no names", nil, []int{0, 1, 2, 3}, false, ""},
		{"in another order", []string{"d", "b", "a", "c"}, []int{2, 1, 3, 0}, false, ""},
		{"some others", []string{"x", "a", "y", "c"}, []int{1, -1, 3, -1}, false, `new: "b", "d"`},
		{"all others", []string{"w", "x", "y", "z"}, []int{-1, -1, -1, -1}, true, "the last layer is new: the 4 classes there have other names"},
	} {
		tr, err := New(open(t, 1), feedtest.ToyConfig(), feedtest.ToySources(8), comm.Local{})
		if err != nil {
			t.Fatal(err)
		}
		if got := outputs(weightsOf(t, tr, c.theirs), tr.src.Classes); !slices.Equal(got, c.outputs) {
			t.Errorf("%s: outputs %v, want %v", c.about, got, c.outputs)
		}
		note, err := tr.BeginWith(weightsOf(t, tr, c.theirs), "there")
		if err != nil || !strings.Contains(note, c.note) || c.note == "" && strings.Contains(note, "new") || tr.progress.Initial.Head != c.head {
			t.Errorf("%s: %q, %+v, %v", c.about, note, tr.progress.Initial, err)
		}
		for _, p := range tr.step.Net.Params.List {
			values := make([]float32, backend.Len(p.Value))
			if err := tr.dev.Download(values, p.Value); err != nil {
				t.Fatal(err)
			}
			for i, row := 0, len(values)/4; weights.Head(p.Name) && i < len(values); i++ {
				if of := c.outputs[i/row]; of >= 0 && values[i] != float32(of*row+i%row) {
					t.Fatalf("%s: %s[%d] is %g", c.about, p.Name, i, values[i])
				}
			}
		}
	}
	fewer := &weights.Weights{}
	fewer.Config.Classes = 3
	if got := outputs(fewer, []string{"a", "b", "c", "d"}); !slices.Equal(got, []int{-1, -1, -1, -1}) {
		t.Errorf("of 3 outputs without names: %v", got)
	}
}
