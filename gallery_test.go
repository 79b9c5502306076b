package jem_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGalleryShowsEveryExample: page, folder, pictures and what make gallery runs agree.
func TestGalleryShowsEveryExample(t *testing.T) {
	page := read(t, "docs/gallery.md")
	var shown []string
	for _, m := range regexp.MustCompile(`\]\(\.\./examples/([a-z-]+)/`).FindAllStringSubmatch(page, -1) {
		shown = append(shown, m[1])
	}
	folders, err := os.ReadDir("examples")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, f := range folders {
		if !slices.Contains(shown, f.Name()) {
			t.Errorf("docs/gallery.md doesn't show examples/%s", f.Name())
		}
		script := filepath.Join("examples", f.Name(), "run.sh") // scripts/gallery.sh runs all of these
		if info, err := os.Stat(script); err == nil {
			text := read(t, script)
			if lines := strings.Count(text, "\n"); lines > 40 || !strings.Contains(text, "\nset -eu\n") || info.Mode()&0o111 == 0 {
				t.Errorf("%s: %d lines, mode %v: want at most 40, set -eu, executable", script, lines, info.Mode())
			}
		} else if !strings.Contains(read(t, "scripts/gallery.sh"), "./examples/"+f.Name()) && f.Name() != "pictures" {
			t.Errorf("make gallery doesn't run examples/%s", f.Name())
		}
	}
	pictures, _ := filepath.Glob("docs/gallery/*")
	for _, p := range pictures {
		if name := filepath.Base(p); !strings.Contains(page, "(gallery/"+name+")") {
			t.Errorf("docs/gallery.md doesn't show docs/gallery/%s", name)
		}
	}
}
