package tensors_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"jem"
	"jem/backend/philox"
	"jem/tensors"
)

func open(t *testing.T) *jem.Model {
	t.Helper()
	m, err := jem.Open("../internal/torchfile/testdata/official_wrn10_1_zip.pt", jem.Threads(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestTensorsLieAsTheyLike: rows, columns, views and turned axes have the scores of their values in order.
func TestTensorsLieAsTheyLike(t *testing.T) {
	m := open(t)
	const size = 3 * 32 * 32
	x := make([]float32, 4*size)
	philox.New(1, 0, philox.Restart).FillUniform(x, -1, 1)
	want, err := m.ScoreTensor(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	batch := tensor.New(tensor.WithShape(4, 3, 32, 32), tensor.WithBacking(slices.Clone(x)))
	view, err := batch.Slice(tensor.S(1, 3))
	if err != nil {
		t.Fatal(err)
	}
	last := make([]float32, len(x)) // (N,H,W,C), as pictures are often stored
	for i, v := range x {
		n, c, hw := i/size, i%size/1024, i%1024
		last[(n*1024+hw)*3+c] = v
	}
	turned := tensor.New(tensor.WithShape(4, 32, 32, 3), tensor.WithBacking(last))
	if err := turned.T(0, 3, 1, 2); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		x    *tensor.Dense
		want []jem.Score
	}{
		"rows":   {batch, want},
		"a view": {view.(*tensor.Dense), want[1:3]},
		"turned": {turned, want},
		"one":    {tensor.New(tensor.WithShape(3, 32, 32), tensor.WithBacking(x[:size])), want[:1]},
	} {
		got, err := tensors.Score(t.Context(), m, c.x)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.EqualFunc(got, c.want, func(a, b jem.Score) bool { return slices.Equal(a.Logits, b.Logits) }) {
			t.Errorf("%s: other scores than those of the values in order", name)
		}
	}
}

func TestTensorsThatAreRefused(t *testing.T) {
	m := open(t)
	for want, x := range map[string]*tensor.Dense{
		"the model takes (N,3,32,32)": tensor.New(tensor.WithShape(2, 32, 32, 3), tensor.Of(tensor.Float32)),
		"the model takes float32":     tensor.New(tensor.WithShape(2, 3, 32, 32), tensor.Of(tensor.Float64)),
		"has a value of +Inf":         tensor.New(tensor.WithShape(1, 3, 32, 32), tensor.WithBacking(slices.Repeat([]float32{float32(math.Inf(1))}, 3072))),
	} {
		if _, err := tensors.Score(t.Context(), m, x); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want a sentence with %q", err, want)
		}
	}
}
