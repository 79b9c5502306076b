package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeRun makes a run folder that has nothing but metrics.
func writeRun(t *testing.T, lines ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCompare(t *testing.T) {
	a := writeRun(t, `{"step":1,"kind":"train","loss":1}`, `{"step":2,"kind":"train","loss":3}`, `{"step":20,"kind":"train","loss":5}`, `{"step":20,"kind":"eval","loss":9}`)
	b := writeRun(t, `{"step":2,"kind":"train","loss":7}`)
	out := filepath.Join(t.TempDir(), "curves.png")
	stdout := ok(t, "compare", "--run", a, "--run", b, "--out", out)
	for _, want := range []string{"1-2    2    7", "19-20  5    -", "(-, or no row: no record in these steps)"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "3-4") {
		t.Errorf("a row of steps without a record:\n%s", stdout)
	}
	if png, err := os.ReadFile(out); err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("picture: %v", err)
	}
	if r := do(t, "compare", "--run", a, "--metric", "lose"); r.code != exitData || !strings.Contains(r.stderr, `no metric "lose"`) {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}
