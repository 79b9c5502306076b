package experiments

import "testing"

func TestVerdicts(t *testing.T) {
	measured := func(v, e float64) Cell { c := given(v); c.Error = e; return c }
	for _, tc := range []struct {
		a, b    Cell
		verdict string
		figures string
	}{
		{given(1), given(2), shows, "1.0 against 2.0"},
		{given(2), given(2), doesNotShow, "2.0 against 2.0"},
		{Cell{}, given(2), notMeasured, ""},
		{given(1), Cell{}, notMeasured, ""},
		{measured(1, 0.3), measured(2, 0.4), shows, "1.0 against 2.0 ± 0.5"},      // 1 is two errors
		{measured(1.1, 0.3), measured(2, 0.4), tooClose, "1.1 against 2.0 ± 0.5"}, // 0.9 is fewer
		{measured(2, 0.3), measured(1.1, 0.4), tooClose, "2.0 against 1.1 ± 0.5"},
		{measured(2, 0.3), measured(1, 0.4), doesNotShow, "2.0 against 1.0 ± 0.5"},
		{gap(measured(2, 0.3), measured(1, 0.4)), given(3), shows, "1.0 against 3.0 ± 0.5"},
		{gap(Cell{}, given(1)), given(3), notMeasured, ""},
	} {
		if c := less("claim", tc.a, tc.b, "%.1f"); c.Verdict != tc.verdict || c.Figures != tc.figures {
			t.Errorf("%v below %v: %s, %s; want %s, %s", tc.a, tc.b, c.Verdict, c.Figures, tc.verdict, tc.figures)
		}
		if c := more("claim", tc.b, tc.a, "%.1f"); c.Verdict != tc.verdict {
			t.Errorf("%v above %v: %s, want %s", tc.b, tc.a, c.Verdict, tc.verdict)
		}
	}
}
