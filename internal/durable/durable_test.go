package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFileReplacesAndLeavesNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	for _, want := range []string{"a: 1\n", "", "a: 2\nb: 3\n"} {
		if err := WriteFile(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
	if names := list(t, dir); len(names) != 1 {
		t.Errorf("folder holds %v, want config.yaml alone", names)
	}
}

func TestSwapReplacesAndLeavesNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "metrics.prom")
	for _, want := range []string{"a 1\n", "", "a 2\n"} {
		if err := os.WriteFile(temporary(path), []byte("a dead process's"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Swap(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
	if err := Swap(dir, nil); err == nil {
		t.Error("a folder is replaced")
	}
	if names := list(t, dir); len(names) != 1 {
		t.Errorf("folder holds %v, want metrics.prom alone", names)
	}
	if err := Swap(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func TestWriteFileRemovesItsTemporaryFileWhenTheRenameFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	// A folder in the place of the target makes the rename fail after the write.
	blocked := filepath.Join(dir, "blocked")
	if err := os.MkdirAll(filepath.Join(blocked, "child"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(blocked, []byte("new"))
	var link *os.LinkError
	if !errors.As(err, &link) {
		t.Fatalf("rename over a folder: %v, want an *os.LinkError", err)
	}
	if names := list(t, dir); len(names) != 2 {
		t.Errorf("folder holds %v, want x and blocked", names)
	}
}

func TestWriteFileNamesAMissingFolder(t *testing.T) {
	err := WriteFile(filepath.Join(t.TempDir(), "none", "x"), nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func TestAFailedWriteLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("lost")
	if err := Replace(path, func(io.Writer) error { return lost }); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
		t.Errorf("the file holds %q (%v)", b, err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%d files, want 1 (%v)", len(left), err)
	}
}

// A link of the temporary file's name is no way out of the folder.
func TestATemporaryFileIsNotWrittenThroughALink(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(outside, []byte("theirs"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, temporary(path)); err != nil {
		t.Skip(err)
	}
	if err := WriteFile(path, []byte("ours")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(outside); err != nil || string(b) != "theirs" {
		t.Errorf("the file outside holds %q, %v", b, err)
	}
}

func TestOriginalKnowsTemporaryNamesAlone(t *testing.T) {
	for name, want := range map[string]string{
		".config.yaml.tmp-7": "config.yaml", "..lock.json.tmp-12": ".lock.json", ".a.tmp-1.tmp-2": "a.tmp-1",
		"config.yaml.tmp-7": "", ".tmp-7": "", ".x.tmp-": "", ".x.tmp-N": "", ".x.tmp-7.bak": "", ".x.tmp-007": "", ".x.tmp--7": "", ".x": "", "": "",
	} {
		got, temporary := Original(name)
		if temporary != (want != "") || temporary && got != want {
			t.Errorf("%q: got %q, %t, want %q", name, got, temporary, want)
		}
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// An error names the file that was to be written, not the temporary one beside it.
func TestErrorsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "x.bin")
	err := WriteFile(path, nil)
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "write "+path+": there is no folder "+filepath.Dir(path) {
		t.Errorf("got %v", err)
	}
}
