package experiments

import (
	"reflect"
	"testing"
)

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

// Seeds that differ are uncertain, too.
func TestSeedsCountInVerdicts(t *testing.T) {
	seeds := func(v, spread float64, n int) Cell { c := given(v); c.Spread, c.Seeds = spread, n; return c }
	for _, tc := range []struct {
		a, b    Cell
		verdict string
	}{
		{seeds(1, 0, 1), seeds(2, 0, 1), shows},
		{seeds(1, 0.6, 4), seeds(2, 0.8, 4), shows}, // 0.3 and 0.4: 1 is two errors
		{seeds(1, 0.6, 2), seeds(2, 0.8, 2), tooClose},
		{seeds(1, 0.3, 4), times(seeds(8, 3.2, 4), 0.25), shows}, // 1 against 2 ± 0.43
		{times(Cell{}, 2), seeds(2, 0, 1), notMeasured},
	} {
		if c := less("claim", tc.a, tc.b, "%.1f"); c.Verdict != tc.verdict {
			t.Errorf("%v below %v: %s %s, want %s", tc.a, tc.b, c.Verdict, c.Figures, tc.verdict)
		}
	}
}

func TestClaimsAgainstRivalsMakeATable(t *testing.T) {
	held := func(text, rival string, a, b float64) Claim {
		c := less(text, given(a), given(b), "%.0f")
		c.Against = rival
		return c
	}
	claims := []Claim{held("it errs less", "one", 1, 2), less("alone", given(1), given(2), "%.0f"), held("it errs less", "two", 2, 1), held("it is shorter", "two", 1, 3)}
	want := [][]string{
		{"claim", "one", "two"},
		{"it errs less than …", "shows (1 against 2)", "does not show (2 against 1)"},
		{"it is shorter than …", "–", "shows (1 against 3)"},
	}
	if got := against(claims); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if got := alone(claims); len(got) != 1 || got[0].Text != "alone" || against(got) != nil {
		t.Errorf("alone are %v", got)
	}
	if got := claims[0].sentence(); got != "it errs less than one" {
		t.Errorf("got %q", got)
	}
}
