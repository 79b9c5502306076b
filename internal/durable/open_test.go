package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/fault"
)

func TestOwnFilesAreRegularOnes(t *testing.T) {
	dir := t.TempDir()
	file, link, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	if err := os.WriteFile(file, []byte("12345"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink("file", link), os.Symlink("nothing", dangling)); err != nil {
		t.Skip(err)
	}
	for _, tc := range []struct {
		path, says string
		own        bool
	}{
		{dir, "is a folder", false}, {dir, "is a folder", true}, {os.DevNull, "is a device", false}, {link, "is a link", true}, {dangling, "is a link", true},
		{file, "", true}, {file, "", false}, {link, "", false},
	} {
		read := ReadFile
		if tc.own {
			read = ReadOwn
		}
		b, err := read(tc.path, 5)
		if tc.says == "" && (err != nil || string(b) != "12345") || tc.says != "" && (!errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), tc.path+": "+tc.says)) {
			t.Errorf("%s, own %t: %q, %v", tc.path, tc.own, b, err)
		}
	}
	if _, err := ReadFile(dangling, 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := ReadOwn(file, 4); !errors.Is(err, fault.ErrBad) {
		t.Errorf("a file beyond its limit: %v", err)
	}
}

// A file is made where nothing is, and never through a link.
func TestOpenOwnMakesFiles(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a"), filepath.Join(dir, "link")
	for range 2 { // made, then opened
		f, err := OpenOwn(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("x"); errors.Join(err, f.Close()) != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "xx" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := OpenOwn(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); !errors.Is(err, fs.ErrExist) {
		t.Errorf("O_EXCL: %v", err)
	}
	if err := os.Symlink(filepath.Join(t.TempDir(), "outside"), link); err != nil {
		t.Skip(err)
	}
	if _, err := OpenOwn(link, os.O_WRONLY|os.O_CREATE, 0o644); !errors.Is(err, fault.ErrBad) {
		t.Errorf("a link that leads nowhere: %v", err)
	}
}
