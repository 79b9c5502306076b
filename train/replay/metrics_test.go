package replay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecordedFiguresAreRepeated(t *testing.T) {
	m, err := ReadMetrics(filepath.Join("..", "..", "internal", "metrics", "testdata", "metrics.json"))
	if err != nil || m == nil {
		t.Fatalf("got %v, %v", m, err)
	}
	figures, err := m.Check()
	if err != nil {
		t.Fatal(err)
	}
	if len(figures) != 21 { // the numbers in the file that are no inputs
		t.Errorf("got %d figures, want 21", len(figures))
	}
	for _, f := range figures {
		if !f.OK {
			t.Errorf("%s: got %.12g, want %.12g (relative error %.2g)", f.Entry, f.Value, f.Want, f.Relative)
		}
	}
}

func TestFiguresThatDiffer(t *testing.T) {
	m := figuresOf(t, `{"a": {"in": [3, 2], "ood": [1, 2], "auroc": 0.875, "fpr95": 0.500001, "note": "x"}, "about": "text"}`)
	figures, err := m.Check()
	if err != nil {
		t.Fatal(err)
	}
	// Of four pairs three are in order and one is tied. The threshold that takes both
	// in-distribution scores takes one of two others.
	if len(figures) != 2 || !figures[0].OK || figures[0].Value != 0.875 || figures[1].OK || figures[1].Value != 0.5 {
		t.Errorf("got %+v", figures)
	}
}

func TestOtherFilesAreNoFigures(t *testing.T) {
	for _, text := range []string{"", "[]", `{}`, `{"depth": 10}`, `{"a": {}, "b": 1}`, `{"note": "only text"}`, "module jem"} {
		if m, err := ReadMetrics(figureFile(t, text)); m != nil || err != nil {
			t.Errorf("%q: got %v, %v", text, m, err)
		}
	}
}

func TestDamagedFiguresAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": {"auroc": 1}}`:                                  "none of the known inputs",
		`{"a": {"in": [1], "ood": [2]}}`:                       "no figures",
		`{"a": {"in": [1], "ood": [], "auroc": 1}}`:            "some of both",
		`{"a": {"in": [1], "ood": [2], "aurok": 1}}`:           "no figure of these",
		`{"a": {"in": [1], "ood": [2], "auroc": null}}`:        "neither a number",
		`{"a": {"in": ["x"], "ood": [2], "auroc": 1}}`:         "in: ",
		`{"a": {"logits": [[1, 2], [3]], "labels": [0, 1]}}`:   "row 1 has 1 numbers",
		`{"a": {"logits": [[1, 2]], "labels": [2], "nll": 1}}`: "label 0 is 2",
		`{"a": {"probs": [[0.5, 0.4]], "splits1": [1, 0]}}`:    "sums to",
		`{"a": {"probs": [[0.5, 0.5]], "splits1": 1}}`:         "holds 1 numbers, want 2",
		`{"a": {"x": [[1]], "y": [[1], [2]], "fid": 1}}`:       "covariance of 1 rows",
	} {
		if _, err := figuresOf(t, text).Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func figuresOf(t *testing.T, text string) *Metrics {
	t.Helper()
	m, err := ReadMetrics(figureFile(t, text))
	if err != nil || m == nil {
		t.Fatalf("%s: got %v, %v", text, m, err)
	}
	return m
}

func figureFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.json")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
