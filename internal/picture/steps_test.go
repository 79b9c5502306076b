package picture

import (
	"bytes"
	"slices"
	"testing"
)

func TestStepsOutlineBars(t *testing.T) {
	got := Steps([]float64{0, 1, 3}, []float64{2, 5})
	want := []Point{{0, 0}, {0, 2}, {1, 2}, {1, 5}, {3, 5}, {3, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Both samples span [0,4] in two bins 2 wide; the largest number belongs to the last.
func TestDensitiesHaveAreaOne(t *testing.T) {
	got := Densities(2, []float64{0, 1, 1, 4}, []float64{3, 3})
	if want := Steps([]float64{0, 2, 4}, []float64{0.375, 0.125}); !slices.Equal(got[0], want) {
		t.Errorf("got %v, want %v", got[0], want)
	}
	if want := Steps([]float64{0, 2, 4}, []float64{0, 0.5}); !slices.Equal(got[1], want) {
		t.Errorf("got %v, want %v", got[1], want)
	}
	if same := Densities(1, []float64{7}); !slices.Equal(same[0], Steps([]float64{6.5, 7.5}, []float64{1})) {
		t.Errorf("one number: got %v", same[0])
	}
}

func TestDashedAndFilledSeries(t *testing.T) {
	steps := Steps([]float64{0, 1}, []float64{1})
	for _, tc := range []struct {
		s            Series
		dashed, fill bool
	}{{Series{Points: steps}, false, false}, {Series{Points: steps, Dashed: true}, true, false}, {Series{Points: steps, Filled: true}, false, true}} {
		svg := Chart{Series: []Series{tc.s}}.SVG()
		if bytes.Contains(svg, []byte("dashed")) != tc.dashed || bytes.Contains(svg, []byte(`class="band`)) != tc.fill {
			t.Errorf("%+v: got %s", tc.s, svg)
		}
	}
}
