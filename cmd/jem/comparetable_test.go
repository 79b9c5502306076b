package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// settled is a folder with two runs that differ in their rate: one with held-out images, from an earlier program, in
// which a step was given up; one without.
func settled(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, files := range map[string][2]string{
		"fast": {"optim: {lr: 0.5}\ntrain: {steps: 4, best: nll}\n", `{"step":2,"kind":"train","step_seconds":3}
{"step":2,"kind":"eval-valid","accuracy":0.5,"loss":1.5,"images":10}
{"step":3,"kind":"rollback","to":2}
{"step":4,"kind":"train","step_seconds":3}
{"step":4,"kind":"eval-valid","accuracy":0.6,"loss":1.75,"images":10,"ece":0.125,"mean_confidence":0.7}
{"step":4,"kind":"eval-test","accuracy":0.55,"loss":1.8,"images":10}
`},
		"slow": {"optim: {lr: 0.25}\ntrain: {steps: 4}\n", `{"step":3,"kind":"train","step_seconds":1}
{"step":3,"kind":"eval-test","accuracy":0.25,"loss":2,"images":10}
`},
	} {
		put(t, filepath.Join(dir, name), "config.yaml", []byte(files[0]))
		put(t, filepath.Join(dir, name), "metrics.jsonl", []byte(files[1]))
	}
	return dir
}

func TestCompareIsATable(t *testing.T) {
	dir := settled(t)
	for i, want := range []string{
		"RUN   STEPS   SPLIT  ACC %  NLL    ECE %  CONF %  BEST ACC %  BEST NLL   KEPT      TEST ACC %  TEST NLL  ROLLBACKS  HOURS  S/STEP  optim.lr  train.best",
		"fast  4       valid  60.00  1.750  12.50  70.00   60.00 (4)   1.500 (2)  nll       55.00       1.800     1          0.00   3.000   0.5       nll",
		"slow  3 of 4  test   25.00  2.000  -      -       25.00 (3)   2.000 (3)  accuracy  -           -         0          0.00   1.000   0.25      accuracy",
	} {
		if got := strings.Split(ok(t, "compare", dir), "\n")[i]; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	var all []map[string]any
	okJSON(t, &all, "compare", filepath.Join(dir, "slow"), filepath.Join(dir, "fast"), "--json")
	if len(all) != 2 || all[0]["run"] != "slow" || all[0]["test"] != nil || all[1]["settings"].(map[string]any)["optim.lr"] != 0.5 {
		t.Errorf("got %v", all)
	}
	out := filepath.Join(t.TempDir(), "runs.csv")
	ok(t, "compare", dir, "--out", out)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][slices.Index(rows[0], "best_nll_step")] != "2" || rows[2][slices.Index(rows[0], "ece")] != "" {
		t.Errorf("got %q, %v", rows, err)
	}
	if md := ok(t, "compare", dir, "--format", "markdown"); !strings.HasPrefix(md, "| RUN | STEPS |") {
		t.Errorf("got\n%s", md)
	}
	if curves := ok(t, "compare", dir, "--kind", "eval", "--metric", "accuracy"); !strings.Contains(curves, "STEPS  fast  slow") {
		t.Errorf("got\n%s", curves)
	}
	for want, args := range map[string][]string{
		"is no run folder and has none in it": {t.TempDir()},
		"a table is written as .csv":          {dir, "--out", "x.png"},
		`--format "xml": want table`:          {dir, "--format", "xml"},
		"--format is for the table":           {dir, "--format", "csv", "--metric", "loss"},
	} {
		if r := do(t, append([]string{"compare"}, args...)...); r.code == exitDone || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}
