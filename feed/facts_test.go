package feed

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"jem/config"
	"jem/internal/data"
	"jem/internal/fault"
)

// kept writes facts and reads them back.
func kept(t *testing.T, f Facts) *Facts {
	t.Helper()
	text, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := ReadFacts(path)
	if err != nil || read == nil {
		t.Fatal(read, err)
	}
	return read
}

// factsFrom opens a configuration's images for training.
func factsFrom(t *testing.T, c *Feed, err error) Facts {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.Facts
}

func TestFactsSayWhatARunDependsOn(t *testing.T) {
	c := own(t)
	opened, _, err := Source{Config: c}.Open(0)
	f := factsFrom(t, opened, err)
	want := Facts{Data: "folder", Classes: []string{"dark", "light"}, Channels: 1, Size: 16, Images: 24, Digest: f.Digest, Dir: c.Data.Dir, Absolute: c.Data.Dir}
	if !reflect.DeepEqual(f, want) || len(f.Digest) != 64 {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if again := kept(t, f); !reflect.DeepEqual(*again, f) {
		t.Errorf("read back: %+v, want %+v", *again, f)
	}
	one, other := filepath.Join(c.Data.Dir, "dark", "03.png"), filepath.Join(c.Data.Dir, "dark", "04.png")
	picture, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	opened, _, err = Source{Config: c}.Open(0)
	replaced := factsFrom(t, opened, err)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	opened, _, err = Source{Config: c}.Open(0)
	fewer := factsFrom(t, opened, err)
	if replaced.Digest == f.Digest || fewer.Digest == replaced.Digest || fewer.Images != 23 {
		t.Errorf("a picture replaced: %s, one less: %s of %d, before: %s", replaced.Digest, fewer.Digest, fewer.Images, f.Digest)
	}
}

func TestFactsThatAreNotThereOrDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.json")
	if f, err := ReadFacts(path); f != nil || err != nil {
		t.Errorf("without a file: %+v, %v", f, err)
	}
	for _, text := range []string{"", "{}", `{"classes": 3}`, "[]", `{"channels":3,"size":`, `{"channels":3,"size":1000000}`, `{"channels":2,"size":32}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := ReadFacts(path); !errors.Is(err, fault.ErrBad) {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
	if f, err := ReadFacts(filepath.Dir(path)); !errors.Is(err, fault.ErrBad) {
		t.Errorf("a folder: %+v, %v", f, err)
	}
}

// A run's images are looked for where they were when it began, whatever the working folder is.
func TestImagesAreFoundFromAnyWorkingFolder(t *testing.T) {
	home, elsewhere := t.TempDir(), t.TempDir()
	there := filepath.Join(home, "pictures")
	if err := os.Mkdir(there, 0o700); err != nil {
		t.Fatal(err)
	}
	f := Facts{Dir: "pictures", Absolute: there}
	for _, at := range []struct {
		about, cwd, dir, want string
		notes                 int
	}{
		{"where it began", home, "pictures", "pictures", 0},
		{"elsewhere", elsewhere, "pictures", there, 0},
		{"another is named", elsewhere, "others", "others", 0},
		{"none is named", elsewhere, "", "", 0},
		{"another of this name", elsewhere, "pictures", there, 1},
	} {
		t.Chdir(at.cwd)
		if at.notes > 0 {
			if err := os.Mkdir("pictures", 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if got, notes := f.Locate(at.dir); got != at.want || len(notes) != at.notes {
			t.Errorf("%s: %s, %v, want %s", at.about, got, notes, at.want)
		}
	}
	if err := os.Remove(there); err != nil {
		t.Fatal(err)
	}
	if got, _ := f.Locate("pictures"); got != "pictures" {
		t.Errorf("moved along with the run: %s", got)
	}
}

// A set that the program draws lies nowhere: neither the working folder nor one that was named is kept as its place.
func TestASetWithoutFilesHasNoPlace(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		c := config.Default()
		c.Data.Name, c.Data.Dir, c.Data.Valid = data.Shapes, dir, 100
		opened, _, err := Source{Config: c}.Open(0)
		if f := factsFrom(t, opened, err); f.Absolute != "" {
			t.Errorf("data.dir %q: kept as lying in %s", dir, f.Absolute)
		}
	}
}
