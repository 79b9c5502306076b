package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

// fullDisk creates every file as /dev/full, which takes nothing: each write to it
// fails with ENOSPC, by the kernel.
type fullDisk struct{ osDisk }

func (fullDisk) create(path string) (file, error) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func TestFullDiskIsReportedAndTheLastCheckpointStays(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("needs /dev/full: %v", err)
	}
	dir := t.TempDir()
	save(t, open(t, dir), 1)
	err := saveError(&Store{dir: dir, disk: fullDisk{}}, 2)
	var path *os.PathError
	if !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &path) {
		t.Fatalf("got %v, want ENOSPC in an *os.PathError", err)
	}
	if len(names(t, dir)) != 1 {
		t.Errorf("left behind: %v", names(t, dir))
	}
	wantLatest(t, dir, 1)
}

// A real file system that fills up part of the way, at every size from hopeless to just
// enough. Mounting needs privileges; elsewhere the test above has to do.
func TestFileSystemThatFillsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("mounts a file system")
	}
	big := map[string][]Tensor{"model": {{Name: "w", Shape: []int{1 << 16}, F32: make([]float32, 1<<16)}}} // 256 KiB
	stopped := 0
	for kib := 300; kib <= 700; kib += 40 {
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", kib)); err != nil {
			t.Skipf("needs the right to mount a tmpfs: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
		s := open(t, dir)
		if _, err := s.Save(1, big, nil); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%d KiB: %v", kib, err)
			}
			continue
		}
		_, err := s.Save(2, big, nil)
		if err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%d KiB: %v", kib, err)
		}
		if err != nil {
			stopped++
		}
		c, damaged, err := Latest(dir)
		if err != nil || len(damaged) > 0 || len(c.Files["model"]) != 1 {
			t.Errorf("%d KiB: %v, %v", kib, damaged, err)
		}
		if n := len(names(t, dir)); n != c.Step {
			t.Errorf("%d KiB: %v after step %d", kib, names(t, dir), c.Step)
		}
	}
	if stopped == 0 {
		t.Error("no size let the first save through and stopped the second")
	}
}
