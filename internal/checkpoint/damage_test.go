package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/backend/philox"
)

// wantFallback checks that the damaged step 2 is refused by name and step 1 is used.
func wantFallback(t *testing.T, dir, what string) {
	t.Helper()
	c, damaged, err := Latest(dir)
	if err != nil || c.Step != 1 || len(damaged) != 1 {
		t.Fatalf("%s: loaded %+v, skipped %v, %v", what, c, damaged, err)
	}
	var corrupt *CorruptError
	if !errors.As(damaged[0], &corrupt) || !strings.Contains(corrupt.File, folder(2)) {
		t.Fatalf("%s: %v does not name the damaged file", what, damaged[0])
	}
	if err := Verify(filepath.Join(dir, folder(2)), nil); !errors.As(err, &corrupt) {
		t.Fatalf("%s: Verify says %v", what, err)
	}
}

// originals returns the files of a fresh folder's newer checkpoint, of two.
func originals(t *testing.T) (dir string, files map[string][]byte) {
	t.Helper()
	dir = t.TempDir()
	path := save(t, open(t, dir), 1, 2)
	files = map[string][]byte{}
	for _, name := range names(t, path) {
		b, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Join(path, name)] = b
	}
	return dir, files
}

func overwrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	dir, files := originals(t)
	for path, whole := range files {
		for n := range whole {
			overwrite(t, path, whole[:n])
			wantFallback(t, dir, filepath.Base(path)+" cut short")
		}
		overwrite(t, path, append(whole[:len(whole):len(whole)], 0))
		wantFallback(t, dir, filepath.Base(path)+" with a byte more")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		wantFallback(t, dir, filepath.Base(path)+" missing")
		overwrite(t, path, whole)
	}
	wantLatest(t, dir, 2)
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	dir, files := originals(t)
	key := philox.New(2, 0, philox.Test)
	flips := uint64(1000)
	for path, whole := range files {
		for i := range flips / uint64(len(files)) {
			bit := key.IntN(i, 8*len(whole))
			flipped := append([]byte(nil), whole...)
			flipped[bit/8] ^= 1 << (bit % 8)
			overwrite(t, path, flipped)
			wantFallback(t, dir, filepath.Base(path))
		}
		overwrite(t, path, whole)
	}
	wantLatest(t, dir, 2)
}

// The manifest guards the others but nothing guards it: all of its bits, then.
func TestEveryBitOfTheManifestMatters(t *testing.T) {
	dir, files := originals(t)
	path := filepath.Join(dir, folder(2), manifestName)
	whole := files[path]
	for bit := range 8 * len(whole) {
		flipped := append([]byte(nil), whole...)
		flipped[bit/8] ^= 1 << (bit % 8)
		overwrite(t, path, flipped)
		if c, err := Load(filepath.Dir(path)); err == nil {
			t.Fatalf("bit %d flipped and loaded: %+v", bit, c)
		}
	}
	overwrite(t, path, whole)
	wantLatest(t, dir, 2)
}

func TestLatestWithoutAnyUsableOneSaysWhy(t *testing.T) {
	dir, files := originals(t)
	for path := range files {
		overwrite(t, path, nil)
	}
	if err := os.RemoveAll(filepath.Join(dir, folder(1))); err != nil {
		t.Fatal(err)
	}
	_, damaged, err := Latest(dir)
	var corrupt *CorruptError
	if !errors.Is(err, ErrNone) || !errors.As(err, &corrupt) || len(damaged) != 1 {
		t.Errorf("got %v, %v", damaged, err)
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	dir, files := originals(t)
	path := filepath.Join(dir, folder(2), "model.safetensors")
	other := filepath.Join(t.TempDir(), "same")
	overwrite(t, other, files[path])
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, path); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	wantFallback(t, dir, "a link")
}

// A message shows little of a manifest, whatever stands in it.
func TestDamageIsToldInBrief(t *testing.T) {
	dir := save(t, open(t, t.TempDir()), 3)
	path := filepath.Join(dir, manifestName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("9", 100_000)
	for old, now := range map[string]string{`"step": 3`: `"step": ` + long, `"model.safetensors"`: `"` + long + `"`, `"format": 1`: `"format": "` + long + `"`} {
		if err := os.WriteFile(path, []byte(strings.Replace(string(good), old, now, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Verify(dir, nil); err == nil || len(err.Error()) > 400+len(path) {
			t.Errorf("%s: %.500v", old, err)
		}
	}
}
