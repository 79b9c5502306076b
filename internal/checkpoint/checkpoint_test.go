package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/backend/philox"
)

// content is a small state whose values depend on the step.
func content(step int) (files map[string][]Tensor, state []byte) {
	w := make([]float32, 6)
	philox.New(uint64(step), 0, philox.Test).FillNormal(w)
	return map[string][]Tensor{
		"model":          {{Name: "w", Shape: []int{2, 3}, F32: w}, {Name: "b", Shape: []int{1}, F32: []float32{float32(step)}}},
		"buffer.rank000": {{Name: "x", Shape: []int{2, 1, 1, 1}, F32: w[:2]}, {Name: "label", Shape: []int{2}, I32: []int32{int32(step), -1}}},
	}, []byte(`{"step":` + folder(step)[len(prefix):] + "}\n")
}

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t testing.TB, s *Store, steps ...int) (path string) {
	t.Helper()
	for _, step := range steps {
		files, state := content(step)
		p, err := s.Save(step, files, state)
		if err != nil {
			t.Fatal(err)
		}
		path = p
	}
	return path
}

// wantLatest checks that the newest usable checkpoint is one of these steps, whole.
func wantLatest(t testing.TB, dir string, steps ...int) {
	t.Helper()
	c, damaged, err := Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, state := content(c.Step)
	if !slices.Contains(steps, c.Step) || !reflect.DeepEqual(c.Files, files) || string(c.State) != string(state) {
		t.Errorf("latest is step %d (after %v), want one of %v with its content", c.Step, damaged, steps)
	}
}

func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestSavedStateComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "checkpoints")
	s := open(t, dir)
	if _, _, err := Latest(dir); !errors.Is(err, ErrNone) {
		t.Fatalf("empty folder: %v, want ErrNone", err)
	}
	path := save(t, s, 12345, 7)
	wantLatest(t, dir, 12345)
	if want := []string{"MANIFEST.json", "buffer.rank000.safetensors", "model.safetensors", "state.json"}; !slices.Equal(names(t, path), want) {
		t.Errorf("checkpoint holds %v, want %v", names(t, path), want)
	}
	if want := []string{"step-00000007", "step-00012345"}; !slices.Equal(names(t, dir), want) {
		t.Errorf("folder holds %v, want %v", names(t, dir), want)
	}
}

func TestListSortsByStepAndIgnoresStrangers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	save(t, s, 123456789, 99999999, 3)
	for _, name := range []string{"step-4", "step-00000004.bak", "step--0000004", "notes"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := List(dir)
	if err != nil || len(entries) != 3 || entries[0].Step != 3 || entries[1].Step != 99999999 || entries[2].Step != 123456789 {
		t.Errorf("got %v, %v", entries, err)
	}
	if entries, err := List(filepath.Join(dir, "none")); err != nil || len(entries) != 0 {
		t.Errorf("missing folder: %v, %v", entries, err)
	}
}

func TestLoadReadsOnlyWhatIsNamed(t *testing.T) {
	path := save(t, open(t, t.TempDir()), 1)
	// Damage in a file that is not asked for must not matter.
	if err := os.Truncate(filepath.Join(path, "buffer.rank000.safetensors"), 3); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, "model")
	if err != nil || len(c.Files) != 1 || len(c.Files["model"]) != 2 || len(c.State) == 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := Load(path, "optim"); err == nil || !strings.Contains(err.Error(), "has no file optim.safetensors") {
		t.Errorf("got %v", err)
	}
}

func TestSavingAStepAgainReplacesIt(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	path := save(t, s, 5)
	if _, err := s.Save(5, nil, []byte("second")); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil || string(c.State) != "second" || len(c.Files) != 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	if len(names(t, dir)) != 1 {
		t.Errorf("left behind: %v", names(t, dir))
	}
}

func TestEqualStatesGiveEqualBytesAndOthersDiffer(t *testing.T) {
	read := func(step int) string {
		path := save(t, open(t, t.TempDir()), step)
		b, err := os.ReadFile(filepath.Join(path, manifestName))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if first, again, other := read(1), read(1), read(2); first != again || first == other {
		t.Error("the manifest is not a function of the state")
	}
}

func TestSaveRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	for want, files := range map[string]map[string][]Tensor{
		`file name "../x"`:   {"../x": nil},
		`file name ".x"`:     {".x": nil},
		`file name "a\\b"`:   {`a\b`: nil},
		"wants 2 values":     {"model": {{Name: "w", Shape: []int{2}, F32: []float32{1}}}},
		"file model: tensor": {"model": {{Name: "", F32: []float32{1}}}},
	} {
		if _, err := s.Save(1, files, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := s.Save(-1, nil, nil); err == nil {
		t.Error("a negative step was accepted")
	}
}

func TestOpenRemovesWhatAKilledProcessLeft(t *testing.T) {
	dir := t.TempDir()
	path := save(t, open(t, dir), 1, 2)
	left := []string{"step-00000003.tmp-1", "step-00000001.old-1", "step-00000009.tmp-x"}
	for _, name := range left {
		if err := os.MkdirAll(filepath.Join(dir, name, "child"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Killed between the two renames of a replacement: step 2 is only there as .old.
	if err := os.Rename(path, path+".old-77"); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if want := []string{"step-00000001", "step-00000002"}; !slices.Equal(names(t, dir), want) {
		t.Errorf("folder holds %v, want %v", names(t, dir), want)
	}
	wantLatest(t, dir, 2)
}
