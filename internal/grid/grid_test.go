package grid

import (
	"math"
	"slices"
	"testing"
)

func TestFormats(t *testing.T) {
	g := Grid{
		Columns: []Column{{"RUN", []string{"run"}}, {"NLL", []string{"nll", "nll_sd"}}, {"", []string{"lr"}}},
		Rows: [][]Cell{
			{Text("a|b"), Spread(1.25, 0.125, 2, 1, 2), Text("0.1")},
			{Text("=cmd"), Spread(-0.5, 0, 1, 100, 1), Text("")},
			{Text("a\x1b"), Spread(0, 0, 0, 1, 1), Text("")},
			{Text(""), Figure(math.NaN(), 1, 1), Text("")},
		},
		Notes: []string{"of held-out images"},
	}
	if got, want := g.Lines(), []string{"RUN\tNLL", "a|b\t1.25 ± 0.12", "=cmd\t-50.0", `"a\x1b"` + "\t-", "-\tNaN", "", "of held-out images"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	csv, err := g.CSV()
	if want := "run,nll,nll_sd,lr\na|b,1.25,0.125,0.1\n'=cmd,-0.5,,\n\"\"\"a\\x1b\"\"\",,,\n,NaN,,\n"; err != nil || string(csv) != want {
		t.Errorf("got %q, want %q: %v", csv, want, err)
	}
	if got, want := string(g.Markdown()), "| RUN | NLL |\n|---|---|\n| a\\|b | 1.25 ± 0.12 |\n| =cmd | -50.0 |\n| \"a\\x1b\" | - |\n| - | NaN |\n\nof held-out images\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
