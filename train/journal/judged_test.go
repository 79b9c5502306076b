package journal_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"jem/internal/rundir"
	"jem/predict"
	"jem/train/journal"
)

// The latest evaluation stands by class in a file, as a picture and in the report, and what is broken of
// it costs only itself.
func TestEvaluationsByClass(t *testing.T) {
	path, _ := run(t)
	text, err := os.ReadFile(path.Evaluation())
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Step   int
		Split  string
		Images int
		predict.Breakdown
	}
	if err := json.Unmarshal(text, &e); err != nil || e.Step != steps || e.Split != "test" || e.Images != batch || len(e.PerClass) != 2 || e.PerClass[0].Class != "dark" {
		t.Errorf("got %s: %v", text, err)
	}
	_, err = os.Stat(path.Mistakes())
	if wrong := len(e.Mistakes) > 0; wrong != (err == nil) {
		t.Errorf("%d mistakes, their picture: %v", len(e.Mistakes), err)
	}
	for _, tc := range []struct{ content, want, not string }{
		{string(text), "One class a row", "unreadable"},
		{`{"step": 6, "per_class": [`, "evaluation.json", "One class a row"},
		{strings.Replace(string(text), `"confusion":[[`, `"confusion":[[9,9,9],[`, 1), "taken for", "unreadable"},
	} {
		if err := os.WriteFile(path.Evaluation(), []byte(tc.content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := journal.Report(path); err != nil {
			t.Fatal(err)
		}
		if html := read(t, path); !strings.Contains(html, tc.want) || strings.Contains(html, tc.not) {
			t.Errorf("with %s: no %q or a %q in the report", tc.content, tc.want, tc.not)
		}
	}
}

func read(t *testing.T, p rundir.Path) string {
	t.Helper()
	html, err := os.ReadFile(p.Report())
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}
