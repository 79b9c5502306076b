package jem_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackageComments asserts that every package of the tree, for any platform and build
// tag, has exactly one package comment, in the form that go doc shows.
func TestPackageComments(t *testing.T) {
	type comment struct{ file, text string }
	comments := map[string][]comment{} // by folder
	names := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != "." && (name == "testdata" || name[0] == '.' || name[0] == '_') {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		names[dir] = file.Name.Name
		if text := strings.TrimSpace(file.Doc.Text()); text != "" {
			comments[dir] = append(comments[dir], comment{path, text})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, name := range names {
		want := "Package " + name + " "
		if name == "main" {
			want = "Command " + filepath.Base(dir) + " "
		}
		switch found := comments[dir]; {
		case len(found) == 0:
			t.Errorf("%s: no package comment", dir)
		case len(found) > 1:
			t.Errorf("%s: package comments in %s and %s, want one", dir, found[0].file, found[1].file)
		case !strings.HasPrefix(found[0].text, want):
			t.Errorf("%s: the package comment begins with %.40q, want %q", found[0].file, found[0].text, want)
		}
	}
}
