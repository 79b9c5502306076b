package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// Whatever names hold, a table has no control characters of theirs, and its columns stay.
func TestTablesHaveNoControlCharacters(t *testing.T) {
	var b bytes.Buffer
	c := cli.NewContext(&cli.App{Writer: &b}, nil, nil)
	if err := printTable(c, "NAME\tN", "a\x1b[31mb\nc\x9b\u009bd\x00\x07\t1", "log p(x⁺) σ∞\t22"); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(b.String(), func(r rune) bool { return r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 }) {
		t.Errorf("%q", b.String())
	}
	if lines := strings.Split(b.String(), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[1], `a\x1b[31mb\nc\x9b\u009bd\x00\a  1`) || !strings.HasPrefix(lines[2], "log p(x⁺) σ∞ ") {
		t.Errorf("%q", lines)
	}
}

func TestNamesInCSVAreNoFormulas(t *testing.T) {
	for name, want := range map[string]string{
		"=1+1": "'=1+1", "+a": "'+a", "-a.png": "'-a.png", "@SUM(A1)": "'@SUM(A1)", "a=b": "a=b", "'=": "'=", "": "", "\t=1": `\t=1`, "\x1b[31m": `\x1b[31m`, "Ä ö, \"x\"": "Ä ö, \"x\"",
	} {
		if got := csvName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Runs and pictures with names of all kinds through the program.
func TestNamesWithEscapesReachNoTerminal(t *testing.T) {
	run := writeRun(t, `{"step":2,"kind":"train","loss":1}`, "garbage")
	odd := filepath.Join(filepath.Dir(run), "a\x1b[31mred")
	if err := os.Rename(run, odd); err != nil {
		t.Skip(err) // a file system that doesn't take such names
	}
	r := do(t, "compare", "--run", odd)
	if r.code != 0 || strings.Contains(r.stdout+r.stderr, "\x1b") || !strings.Contains(r.stdout, `a\x1b[31mred`) || !strings.Contains(r.stderr, "is no record") {
		t.Errorf("exit code %d\n%q\n%q", r.code, r.stdout, r.stderr)
	}
	data := writeCIFAR(t)
	out := filepath.Join(t.TempDir(), "run")
	ok(t, small(data, out, "--steps", "1", "--quiet")...)
	pictures := t.TempDir()
	for _, name := range []string{"=cmd|' !A0.png", "b\x1b]0;x\x07.png"} {
		put(t, pictures, name, square(32))
	}
	t.Chdir(pictures)
	for _, format := range []string{"table", "csv"} {
		r := do(t, "score", out, "=cmd|' !A0.png", "b\x1b]0;x\x07.png", "--format", format)
		if r.code != 0 || strings.ContainsAny(r.stdout+r.stderr, "\x1b\x07") {
			t.Errorf("%s: exit code %d\n%q\n%q", format, r.code, r.stdout, r.stderr)
		}
		if format == "csv" {
			rows, err := csv.NewReader(strings.NewReader(r.stdout)).ReadAll()
			if err != nil || !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == "'=cmd|' !A0.png" }) {
				t.Errorf("%v, %v", rows, err)
			}
		}
	}
}
