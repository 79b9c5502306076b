package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"jem/internal/failpoint"
)

// Store is the one writer of a checkpoints folder. Whoever opens it must hold the run's
// lock. It is for one goroutine.
type Store struct {
	Usable Usable // for Discard

	dir  string
	disk disk
}

// Open makes the folder if it is missing and removes what killed processes left
// unfinished. Tests can make its disk fail, see package failpoint.
func Open(dir string) (*Store, error) {
	point, err := failpoint.FromEnv()
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, disk: withFailpoint(osDisk{}, point)}
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("open checkpoints: %w", err)
	}
	return s, nil
}

// recover removes temporary folders. One that was moved aside comes back if the process
// died before its replacement had arrived.
func (s *Store) recover() error {
	if err := s.disk.mkdirAll(s.dir); err != nil {
		return err
	}
	if err := s.disk.syncDir(filepath.Dir(s.dir)); err != nil {
		return err
	}
	all, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range all {
		original, aside, ok := leftover(e.Name())
		if !ok {
			continue
		}
		path, original := filepath.Join(s.dir, e.Name()), filepath.Join(s.dir, original)
		if aside && !exists(original) {
			err = s.disk.rename(path, original)
		} else {
			err = s.disk.removeAll(path)
		}
		if err != nil {
			return err
		}
	}
	return s.disk.syncDir(s.dir)
}

// leftover takes the name of a temporary folder apart: whose it is, and whether it is
// a complete checkpoint that was moved aside.
func leftover(name string) (original string, aside, ok bool) {
	original, _, aside = strings.Cut(name, oldSuffix)
	temp := false
	if !aside {
		original, _, temp = strings.Cut(name, tempSuffix)
	}
	_, known := stepOf(original)
	return original, aside, known && (aside || temp)
}

// aside returns the name of a temporary folder beside path.
func (s *Store) aside(path, suffix string) string {
	return fmt.Sprintf("%s%s%d", path, suffix, os.Getpid())
}

// exists reports whether something of that name is there.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
