package experiments

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/chart"
)

var update = flag.Bool("update", false, "write the golden files anew")

// small is a result with a cell of every kind.
func small() *Result {
	quote := recalled(92.9)
	return &Result{
		ID: "table0", Title: "Table 0", Where: "nowhere", Scale: Small, Label: Small.Label(), Command: "jem reproduce --scale small table0",
		Claims: []Claim{less("a claim | with a bar", given(1), given(2), "%.1f"), more("another", given(1), given(2), "%.1f"), more("a third", Cell{}, given(2), "%.1f")},
		Tables: []Table{{
			Title: "Figures", Caption: "A caption.",
			Columns: []Column{{Key: "a", Title: "accuracy %", Digits: 1, Percent: true}, {Key: "f", Title: "FID", Digits: 1}},
			Rows: []Row{
				{Label: "ours", Run: "jem", Steps: 100, Cells: []Cell{{Ours: given(71.25).Ours, Seeds: 2, Spread: 0.5, Paper: &quote}, {Missing: "not run: no weights", Paper: &quote}}},
				{Label: "theirs", Cells: []Cell{{Missing: reported, Paper: &quote}, {Missing: reported}}},
				{Label: "alone", Run: "baseline", Steps: 100, Cells: []Cell{{Ours: given(70).Ours, Seeds: 1}, {Missing: "not run: no samples"}}},
			},
		}},
		Protocol: []string{"How it was done."},
		Charts:   []Chart{{Name: "curve", Caption: "A curve.", Chart: chart.Chart{Title: "Curve", Lines: []chart.Line{{X: []float64{0, 1}, Y: []float64{0, 1}}}}}},
		Runs: []RunFact{
			{Run: "jem", About: "JEM", Folder: "jem-seed1-0", Seed: 1, Data: "cifar10", Network: "WRN-10-2", Recipe: "study", Options: []string{"train.steps=100"}, Steps: 100, SGLD: 5, State: stateTrained, Hours: 1.25, Device: "cpu", Notes: []string{"a note"}},
			{Run: "baseline", About: "softmax", Folder: "baseline-seed1-0", Seed: 1, Data: "cifar10", Network: "WRN-10-2", Recipe: "study", Steps: 100, State: stateNotRun},
		},
	}
}

func TestResultFilesAreAsEver(t *testing.T) {
	files, err := small().files()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		seen[f.name] = true
		if f.name == "table0.html" && !(strings.Contains(string(f.content), "SCALED DOWN") && strings.Contains(string(f.content), "71.2 ± 0.5 (92.9, −21.7)")) {
			t.Error("the page lacks its scale or a cell")
		}
		if ending := filepath.Ext(f.name); ending != ".md" && ending != ".csv" && ending != ".json" {
			continue // pictures have tests of their own
		}
		golden := filepath.Join("testdata", f.name)
		if *update {
			if err := os.WriteFile(golden, f.content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(f.content) {
			t.Errorf("%s differs from %s; got\n%s", f.name, golden, f.content)
		}
	}
	for _, name := range []string{"table0.md", "table0.csv", "table0.json", "table0.html", "table0-curve.svg", "table0-curve.png"} {
		if !seen[name] {
			t.Errorf("no %s", name)
		}
	}
}

func TestMeanSpread(t *testing.T) {
	if m, s := meanSpread([]float64{1, 3}); m != 2 || s*s != 2.0000000000000004 {
		t.Errorf("%v ± %v, want 2 ± √2", m, s)
	}
	if m, s := meanSpread([]float64{5}); m != 5 || s != 0 {
		t.Errorf("%v ± %v", m, s)
	}
}
