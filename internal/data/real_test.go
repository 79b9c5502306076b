package data

import (
	"os"
	"testing"
)

// realDir is the folder of the published files; tests that read them are skipped without it.
func realDir(t *testing.T, what string) string {
	t.Helper()
	dir := os.Getenv(DirEnv)
	if dir == "" {
		t.Skipf("%s is not set: reading the published %s files is skipped", DirEnv, what)
	}
	return dir
}

func TestPublishedFilesAreReadAsPublished(t *testing.T) {
	for _, c := range []struct {
		name     string
		split    Split
		n, dim   int
		verified bool
	}{
		{"cifar10", Train, 50000, 3072, true},
		{"cifar10", Test, 10000, 3072, true},
		{"mnist", Test, 10000, 1024, true},
		{"fashion-mnist", Test, 10000, 1024, true},
	} {
		t.Run(c.name+" "+string(c.split), func(t *testing.T) {
			dir := realDir(t, c.name)
			s, notes, err := Open(c.name, c.split, OpenOptions{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if s.Len() != c.n || s.Dim() != c.dim || s.Verified() != c.verified || s.K() != 10 {
				t.Errorf("%d images of %d values in %d classes, verified %v, notes %q; want %d of %d in 10, %v",
					s.Len(), s.Dim(), s.K(), s.Verified(), notes, c.n, c.dim, c.verified)
			}
		})
	}
}
