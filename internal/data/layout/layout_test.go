package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/fault"
)

// tree makes files, and folders where a name ends in a slash; they hold their own name.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o700)
		} else if err == nil {
			err = os.WriteFile(path, []byte(name), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shown lists classes as "name: files" with paths below dir.
func shown(t *testing.T, dir string, classes []Class) string {
	t.Helper()
	var all []string
	for _, c := range classes {
		files, err := c.Find()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range files.Pictures {
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, filepath.ToSlash(rel))
		}
		all = append(all, c.Name+": "+strings.Join(names, " "))
	}
	return strings.Join(all, "; ")
}

// part is what a part is found to be, or the error.
func part(t *testing.T, l Layout, p Part, training []Class) string {
	t.Helper()
	classes, _, err := l.In(p, training)
	if err != nil {
		return err.Error()
	}
	return shown(t, l.Dir, classes)
}

func TestLayoutsThatPeopleHave(t *testing.T) {
	for name, c := range map[string]struct {
		files              string
		train, valid, test string // "" is no such part
		notes              []string
	}{
		"classes":           {"b/1.png a/1.PNG a/2.JpEg", "a: a/1.PNG a/2.JpEg; b: b/1.png", "", "", nil},
		"classes and test":  {"a/1.png b/1.png test/b/1.png", "a: a/1.png; b: b/1.png", "", "a: ; b: test/b/1.png", nil},
		"ImageNet, Keras":   {"train/a/1.png train/b/1.png val/a/2.png val/b/2.png", "a: train/a/1.png; b: train/b/1.png", "a: val/a/2.png; b: val/b/2.png", "", nil},
		"ultralytics":       {"train/a/1.png train/b/1.png valid/a/2.png test/a/3.png", "a: train/a/1.png; b: train/b/1.png", "a: valid/a/2.png; b: ", "a: test/a/3.png; b: ", nil},
		"Kaggle":            {"Training/a/1.png Training/b/1.png Testing/a/2.png", "a: Training/a/1.png; b: Training/b/1.png", "", "a: Testing/a/2.png; b: ", nil},
		"any case":          {"TRAIN/a/1.png TRAIN/b/1.png Validation/a/2.png Test/b/3.png", "a: TRAIN/a/1.png; b: TRAIN/b/1.png", "a: Validation/a/2.png; b: ", "a: ; b: Test/b/3.png", nil},
		"what is not used":  {"train/a/1.png train/b/1.png extra/a/1.png more/x/1.png 1.png", "a: train/a/1.png; b: train/b/1.png", "", "", []string{"extra, more are not used: images are read from train", "1 pictures beside"}},
		"val among classes": {"a/1.png b/1.png val/a/2.png", "a: a/1.png; b: b/1.png", "a: val/a/2.png; b: ", "", nil},
		"classes named so":  {"valid/1.png invalid/1.png Testing/2.png", "Testing: Testing/2.png; invalid: invalid/1.png; valid: valid/1.png", "", "", nil},
		"strays": {"a/1.png b/1.png __MACOSX/a/._1.png lost+found/ $RECYCLE.BIN/1.png @eaDir/1.png .ipynb_checkpoints/1.png a/.ipynb_checkpoints/1.png a/._1.png a/@eaDir/1.png .DS_Store c/ d/notes.txt",
			"a: a/1.png; b: b/1.png", "", "", []string{"c, d have no pictures", "$RECYCLE.BIN, @eaDir, __MACOSX, lost+found, left behind"}},
		"deeper": {"a/p2/1.png a/p10/x/1.jpeg a/p 1/1.png a/p.png b/images/1.JPEG",
			"a: a/p 1/1.png a/p.png a/p10/x/1.jpeg a/p2/1.png; b: b/images/1.JPEG", "", "", nil},
		"Kaggle's unlabelled test": {"train/a/1.png train/b/1.png test/1.png test/2.png", "a: train/a/1.png; b: train/b/1.png", "", "which class its pictures are of isn't known", nil},
		"a class beside":           {"train/a/1.png train/b/1.png val/c/1.png", "a: train/a/1.png; b: train/b/1.png", "validation images of a class that has no training folder", "", nil},
		"two tests":                {"train/a/1.png train/b/1.png Test/a/2.png test/b/1.png testing/a/3.png", "a: train/a/1.png; b: train/b/1.png", "", "a: ; b: test/b/1.png", []string{"Test, testing are not used"}},
		"a class named val":        {"train/val/1.png train/b/1.png", "b: train/b/1.png; val: train/val/1.png", "", "", nil},
		"one class":                {"train/1.png train/x.txt test/1.png", "train: train/1.png", "", "train: test/1.png", nil},
	} {
		t.Run(name, func(t *testing.T) {
			files := strings.Fields(strings.ReplaceAll(c.files, "p 1", "p_1"))
			for i := range files {
				files[i] = strings.ReplaceAll(files[i], "p_1", "p 1")
			}
			dir := tree(t, files...)
			l, err := Of(dir)
			if err != nil {
				t.Fatal(err)
			}
			training, notes, err := l.Classes()
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(t, dir, training); got != c.train {
				t.Errorf("training: %s, want %s", got, c.train)
			}
			for p, want := range map[Part]string{Valid: c.valid, Test: c.test} {
				if want == "" {
					want = "has no sub-folder"
				}
				if got := part(t, l, p, training); got != want && !strings.Contains(got, "has no sub-folder") && !strings.Contains(got, want) || !strings.Contains(got, want) {
					t.Errorf("%s: %s, want %s", p, got, want)
				}
			}
			if len(notes) != len(c.notes) {
				t.Fatalf("notes %q, want %q", notes, c.notes)
			}
			for i, n := range notes {
				if !strings.Contains(n, c.notes[i]) {
					t.Errorf("note %q, want one on %q", n, c.notes[i])
				}
			}
		})
	}
}

func TestFoldersThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		kind  error
		says  string
	}{
		"two of one part":     {[]string{"train/a/1.png", "Val/a/1.png", "validation/a/1.png"}, fault.ErrBad, "Val and validation both stand for the validation images"},
		"pictures of others":  {[]string{"a/1.png", "b/1.ppm", "b/2.ppm", "b/x.txt"}, fault.ErrBad, "there are 2 .ppm, 1 .txt"},
		"one folder too high": {[]string{"set/train/a/1.png", "set/val/a/1.png"}, fault.ErrBad, "train, val, name "},
		"of train, too":       {[]string{"train/images/a/1.png", "train/images/b/1.png", "val/a/1.png"}, fault.ErrBad, "a, b, name "},
		"no folder":           {[]string{"../x.npz"}, fault.ErrMissing, "no such folder"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, c.files...)
			if name == "no folder" {
				dir = filepath.Join(dir, "none")
			}
			l, err := Of(dir)
			if err == nil {
				_, _, err = l.Classes()
			}
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v saying %q", err, c.kind, c.says)
			}
		})
	}
	file := filepath.Join(tree(t, "x.npz"), "x.npz")
	if _, err := Of(file); !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file: %v", err)
	}
}

// Whoever knows the classes takes one of them alone, whatever lies below it.
func TestOneClassOfThoseKnown(t *testing.T) {
	dir := tree(t, "train/wave/p1/1.png", "train/wave/p2/1.png")
	l, err := Of(dir)
	if err != nil {
		t.Fatal(err)
	}
	classes, _, err := l.Known(Train, []string{"blob", "wave"})
	if err != nil || shown(t, dir, classes) != "blob: ; wave: train/wave/p1/1.png train/wave/p2/1.png" {
		t.Errorf("%v, %v", classes, err)
	}
}

// What nobody may list is passed over if it is known to be nobody's.
// A folder that has been on macOS spells its accents as two characters.
func TestAccentsAreSpeltInTwoWays(t *testing.T) {
	const one, two = "\u00e9t\u00e9", "e\u0301te\u0301"
	for _, tc := range []struct {
		here  string
		names []string
		want  string
	}{
		{two, []string{"b", one}, "[ " + two + "]"},
		{one, []string{"b", two}, "[ " + one + "]"},
		{two, []string{one, two}, "[ " + two + "]"}, // two classes after all
	} {
		dir := tree(t, "train/b/1.png", "test/"+tc.here+"/1.png")
		l, err := Of(dir)
		if err != nil {
			t.Fatal(err)
		}
		classes, _, err := l.Known(Test, tc.names)
		var at []string
		for _, c := range classes {
			at = append(at, strings.TrimPrefix(c.Path, filepath.Join(dir, "test")+string(filepath.Separator)))
		}
		if got := fmt.Sprint(at); err != nil || got != tc.want {
			t.Errorf("%q for %q: %q, %v", tc.here, tc.names, got, err)
		}
	}
}

func TestUnreadableLostAndFound(t *testing.T) {
	dir := tree(t, "a/1.png", "b/1.png", "lost+found/", "b/lost+found/")
	for _, name := range []string{"lost+found", "b/lost+found"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Of(dir)
	if err != nil {
		t.Fatal(err)
	}
	classes, notes, err := l.Classes()
	if err != nil || shown(t, dir, classes) != "a: a/1.png; b: b/1.png" || len(notes) != 1 {
		t.Errorf("%v, %q, %v", classes, notes, err)
	}
}

func TestLinksAreFollowedButNotInCircles(t *testing.T) {
	dir := tree(t, "a/1.png", "elsewhere/x/2.png")
	for link, to := range map[string]string{
		"a/around": "..", "a/self": "../a", "a/in": "../elsewhere", "a/twice": "../elsewhere", "a/lost.png": "nowhere", "elsewhere/x/back": "../../a",
	} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	files, err := Find(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range files.Pictures {
		names = append(names, strings.TrimPrefix(filepath.ToSlash(p), filepath.ToSlash(dir)+"/"))
	}
	if got := strings.Join(names, " "); got != "a/1.png a/in/x/2.png a/lost.png" {
		t.Errorf("found %s", got)
	}
	deep := tree(t, strings.Repeat("x/", maxDepth+1)+"1.png")
	if _, err := Find(deep); !errors.Is(err, fault.ErrBad) {
		t.Errorf("%d folders within each other: %v", maxDepth+2, err)
	}
}

// A link back to the folder of the classes, or above it, is no class.
func TestLinksInCirclesAreNoClasses(t *testing.T) {
	dir := tree(t, "in/a/1.png", "in/b/1.png")
	for link, to := range map[string]string{"in/loop": "../in", "in/up": ".."} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	l, err := Of(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	classes, _, err := l.Classes()
	if err != nil || shown(t, dir, classes) != "a: in/a/1.png; b: in/b/1.png" {
		t.Errorf("%v, %v", classes, err)
	}
}

// Tiny-ImageNet's classes of its validation pictures stand in a file.
func TestTinyImageNet(t *testing.T) {
	dir := tree(t, "train/n01/images/n01_0.JPEG", "train/n01/n01_boxes.txt", "train/n02/images/n02_0.JPEG", "val/images/val_0.JPEG", "val/images/val_1.JPEG", "val/images/val_2.JPEG", "test/images/test_0.JPEG")
	put := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "val", annotations), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("val_2.JPEG\tn02\t0\t32\t44\t62\nval_0.JPEG\tn02\t1\t2\t3\t4\nval_1.JPEG\tn01\t1\t2\t3\t4\n")
	l, err := Of(dir)
	if err != nil {
		t.Fatal(err)
	}
	training, _, err := l.Classes()
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[Part]string{Valid: "n01: val/images/val_1.JPEG; n02: val/images/val_0.JPEG val/images/val_2.JPEG", Test: "isn't known"} {
		if got := part(t, l, p, training); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
	for text, says := range map[string]string{
		"val_0.JPEG\n":               "line 1 is not",
		"../../a.png\tn01\n":         "line 1 is not",
		"val_0.JPEG\tn09\t1\n":       "line 1 names class n09",
		strings.Repeat("x", 100_000): "more than 64 KiB",
	} {
		put(text)
		if got := part(t, l, Valid, training); !strings.Contains(got, says) {
			t.Errorf("%.40q: %s, want %s", text, got, says)
		}
	}
}

func TestNotesStayShort(t *testing.T) {
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("%04d%s", i, strings.Repeat("y", 200)))
	}
	if n := len(list(names)); n > 400 {
		t.Errorf("%d bytes", n)
	}
	l := Layout{Dir: "x", top: contents{folders: names}, parts: map[Part]string{Train: "train"}}
	if _, err := l.named(Train, names[1:], []Class{{Name: names[0], Path: "p"}, {Name: names[1]}}, "is no class that this network knows: it knows "+list(names)); err == nil || len(err.Error()) > 500 {
		t.Errorf("%v", err)
	}
}
