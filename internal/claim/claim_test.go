package claim

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kind has one name of its own.
var kind = Kind{Of: "a test", Marker: ".jem-test", Own: func(_, name string, marked bool) bool { return marked && name == "own" }}

// put makes empty files, or folders where names end in a slash.
func put(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, n := range names {
		err := os.MkdirAll(filepath.Join(dir, filepath.Dir(n)), 0o777)
		if err == nil && !strings.HasSuffix(n, "/") {
			err = os.WriteFile(filepath.Join(dir, n), nil, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestAFolderIsTaken(t *testing.T) {
	for what, have := range map[string][]string{
		"empty": nil, "marked": {".jem-test"}, "its own": {".jem-test", "own"}, "its own, torn": {".jem-test", ".own.tmp-7"},
		"looked at": {".DS_Store", "lost+found/"},
	} {
		dir := put(t, have...)
		if err := Take(dir, kind); err != nil || !Marked(dir, kind) {
			t.Errorf("%s: %v", what, err)
		}
		if left := names(t, dir); len(left) != len(have) && len(left) != len(have)+1 {
			t.Errorf("%s: it has %v of %v", what, left, have)
		}
	}
	fresh := filepath.Join(t.TempDir(), "a", "b")
	if err := Take(fresh, kind); err != nil || !slices.Equal(names(t, fresh), []string{kind.Marker}) {
		t.Errorf("new: %v, %v", names(t, fresh), err)
	}
}

func TestAFolderIsRefusedAndUntouched(t *testing.T) {
	for what, have := range map[string][]string{
		"foreign": {"cat/"}, "its own name, unmarked": {"own"}, "a stranger in its own": {".jem-test", "own", "z"},
		"a marker that is a folder": {".jem-test/"}, "another's marker": {".jem-other"},
		"a foreign temporary name": {".jem-test", ".x.tmp-7"}, "a name like a temporary one": {".jem-test", ".own.tmp-N"}, "a temporary name of a folder": {".jem-test", ".own.tmp-7/"},
	} {
		dir := put(t, have...)
		before := names(t, dir)
		err := Take(dir, kind)
		var foreign *ForeignError
		if !errors.Is(err, ErrRefused) || !errors.As(err, &foreign) || foreign.Path != dir {
			t.Errorf("%s: %v", what, err)
		}
		if after := names(t, dir); !slices.Equal(after, before) {
			t.Errorf("%s: left %v of %v", what, after, before)
		}
	}
}

func TestTheRefusalNamesTheFirstEntries(t *testing.T) {
	dir := put(t, "e", "d", "c", "a\nb", "b")
	want := dir + ` holds "a\nb", b, c … and 2 more, which a test did not put there: name a folder that is new or empty`
	if err := Check(dir, kind); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := Check(put(t, "x"), kind); err == nil || !strings.Contains(err.Error(), " holds x, which ") {
		t.Errorf("got %v", err)
	}
}

func TestAFileIsNoFolder(t *testing.T) {
	file := filepath.Join(put(t, "f"), "f")
	for _, path := range []string{file, filepath.Join(file, "below")} {
		var named *fs.PathError
		if err := Take(path, kind); !errors.As(err, &named) || errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// What is checked is what is written to: links and dots are the system's business the same way.
func TestPathsAreCleaned(t *testing.T) {
	dir := put(t, "real/deep/", "empty/")
	if err := os.Symlink(filepath.Join("real", "deep"), filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	// The system's way leads to real, the way of filepath.Join to dir.
	if err := Check(dir+"/link/..", kind); err == nil || !strings.Contains(err.Error(), "empty, link, real") {
		t.Errorf("got %v", err)
	}
}

func TestApart(t *testing.T) {
	dir := put(t, "pics/cat/1.png", "runs/", "elsewhere/")
	for link, to := range map[string]string{"link": "pics", "runs/deep": filepath.Join("..", "pics", "cat")} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	t.Chdir(dir)
	for _, tc := range []struct {
		written, read string
		apart         bool
	}{
		{"pics", "pics", false}, {"pics/run", "pics", false}, {"pics/a/b/c", "pics", false}, {"./runs/../pics/x", dir + "/pics", false},
		{"link", "pics", false}, {"link/new", "pics", false}, {"pics/new", "link", false}, {"runs/deep/new", "pics", false}, {"runs/x", ".", false},
		{filepath.Join(dir, "pics", "cat", "1.png"), "pics", false},
		{"runs/x", "pics", true}, {"pics2", "pics", true}, {".", "pics", true}, {"pics/x", "none", true}, {"pics/x", "elsewhere", true}, {"link2/x", "pics", true},
	} {
		err := Apart(tc.written, tc.read)
		var overlap *OverlapError
		if tc.apart != (err == nil) || err != nil && (!errors.As(err, &overlap) || !errors.Is(err, ErrRefused)) {
			t.Errorf("%s and %s: %v", tc.written, tc.read, err)
		}
	}
	if err := Around("pics", "link/cat"); err == nil || !strings.Contains(err.Error(), "link/cat") {
		t.Errorf("got %v", err)
	}
	if err := Around("runs", "pics"); err != nil {
		t.Error(err)
	}
}
