package checkpoint

import (
	"os"
	"testing"
	"time"
)

// Whoever reads beside a run that keeps one checkpoint finds one each time, though it is replaced
// and pruned while it is read.
func TestReadingBesideARun(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	save(t, s, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for step := range 40 {
			for range 2 { // the second time it replaces the first
				files, state := content(step + 1)
				if _, err := s.Save(step+1, files, state); err != nil {
					t.Error(err)
				}
			}
			if _, err := s.Prune(Policy{KeepLast: 1}); err != nil {
				t.Error(err)
			}
		}
	}()
	for n := 0; ; n++ {
		c, damaged, err := Latest(dir)
		if err != nil || c == nil || len(damaged) > 0 {
			t.Errorf("reading %d: %v, %v", n, damaged, err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// Whoever reads while the only checkpoint is aside, its writer held up between two renames, waits for it,
// whatever the moment at which it comes back.
func TestReadingWhileTheWriterIsHeldUp(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	path := save(t, s, 1)
	old := s.aside(path, oldSuffix)
	held := []time.Duration{50 * time.Millisecond}
	for n := range 200 { // a reader looks every millisecond: some come back while it does
		held = append(held, time.Duration(n)*10*time.Microsecond)
	}
	for _, held := range held {
		if err := os.Rename(path, old); err != nil {
			t.Fatal(err)
		}
		back := make(chan error)
		go func() {
			time.Sleep(held)
			back <- os.Rename(old, path)
		}()
		if c, damaged, err := Latest(dir); err != nil || c == nil || len(damaged) > 0 {
			t.Errorf("held up for %v: %v, %v", held, damaged, err)
		}
		if err := <-back; err != nil {
			t.Fatal(err)
		}
	}
}
