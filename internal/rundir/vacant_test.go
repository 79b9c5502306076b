package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"jem/internal/claim"
)

// stranger is a folder with such files.
func stranger(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if err == nil {
			err = os.WriteFile(path, []byte(content), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func entries(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCreateRefusesAStrangersFolder(t *testing.T) {
	for what, files := range map[string]map[string]string{
		"pictures":                 {"cat/1.png": "x"},
		"a project's metrics":      {"metrics.jsonl": "mine"},
		"a project's settings":     {"config.yaml": "name: mine\n", "env.json": `{"node": 1}`},
		"an environment":           {"env.json": "[]"},
		"a lock":                   {".lock": ""},
		"a temporary name":         {".x.tmp-7": "mine"},
		"samples":                  {"samples/step-5.png": "mine"},
		"a run that lost its yaml": {".jem-run": "", "checkpoints/step-00000001/MANIFEST.json": "{}"},
		"a begun run and a guest":  {".jem-run": "", ".lock": "", "notes.txt": "mine"},
	} {
		dir := stranger(t, files)
		before := entries(t, dir)
		var foreign *claim.ForeignError
		if _, err := Create(dir, nil, nil, Env{}); !errors.As(err, &foreign) {
			t.Errorf("%s: %v", what, err)
		}
		if after := entries(t, dir); !slices.Equal(after, before) {
			t.Errorf("%s: left %v of %v", what, after, before)
		}
	}
}

func TestOpenLeavesAFolderWhoseConfigIsAStrangers(t *testing.T) {
	dir := stranger(t, map[string]string{"config.yaml": "seed: 1\n", "metrics.jsonl": "torn", ".x.tmp-7": ""})
	before := entries(t, dir)
	if _, err := Open(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if after := entries(t, dir); !slices.Equal(after, before) {
		t.Errorf("left %v of %v", after, before)
	}
}

// Runs from before there were markers go on, and are not begun anew.
func TestARunWithoutAMarkerIsKnownByItsEnvironment(t *testing.T) {
	d := newRun(t)
	closeRun(t, d)
	for _, name := range []string{".jem-run", lockName} {
		if err := os.Remove(filepath.Join(string(d.Path), name)); err != nil {
			t.Fatal(err)
		}
	}
	before := entries(t, string(d.Path))
	if err := Vacant(string(d.Path)); !errors.Is(err, ErrExists) {
		t.Errorf("got %v, want ErrExists", err)
	}
	if after := entries(t, string(d.Path)); !slices.Equal(after, before) {
		t.Errorf("looking left %v of %v", after, before)
	}
	again, err := Open(string(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	closeRun(t, again)
}

func TestForeignTemporaryNamesStay(t *testing.T) {
	d := newRun(t)
	closeRun(t, d)
	mine := []string{".x.tmp-N", ".x.tmp-7.bak", "x.tmp-7", ".tmp-7"}
	for _, name := range mine {
		if err := os.WriteFile(d.join(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(string(d.Path))
	if err != nil {
		t.Fatal(err)
	}
	closeRun(t, again)
	for _, name := range mine {
		if _, err := os.Stat(d.join(name)); err != nil {
			t.Error(err)
		}
	}
}

// Of processes that create a run at the same time one gets the folder, and the others hear
// that it is in use or holds a run.
func TestOneOfManyCreatorsGetsTheFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	var (
		all     sync.WaitGroup
		created = make(chan *Dir, 8)
	)
	for range cap(created) {
		all.Go(func() {
			d, err := Create(path, []byte("seed: 1\n"), []byte("{}\n"), Environment("test device"))
			var locked *LockedError
			switch {
			case err == nil:
				created <- d
			case !errors.Is(err, ErrExists) && !errors.As(err, &locked):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(created) != 1 {
		t.Fatalf("%d got it", len(created))
	}
	closeRun(t, <-created)
}
