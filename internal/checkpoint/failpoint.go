package checkpoint

import (
	"errors"

	"jem/internal/failpoint"
)

// failingDisk is a disk that fails once; see package failpoint for its points.
type failingDisk struct {
	disk
	point *failpoint.Point
}

// withFailpoint wraps a disk unless there is no point.
func withFailpoint(d disk, p *failpoint.Point) disk {
	if p == nil {
		return d
	}
	return &failingDisk{d, p}
}

// around does an operation between its two points.
func (f *failingDisk) around(op string, do func() error) error { return f.point.Around("ckpt."+op, do) }

func (f *failingDisk) mkdirAll(path string) error {
	return f.around("mkdir", func() error { return f.disk.mkdirAll(path) })
}

func (f *failingDisk) mkdir(path string) error {
	return f.around("mkdir", func() error { return f.disk.mkdir(path) })
}

func (f *failingDisk) create(path string) (made file, err error) {
	err = f.around("create", func() (err error) { made, err = f.disk.create(path); return err })
	if err == nil {
		return &failingFile{made, f}, nil
	}
	if made != nil {
		err = errors.Join(err, made.Close())
	}
	return nil, err
}

func (f *failingDisk) rename(from, to string) error {
	return f.around("rename", func() error { return f.disk.rename(from, to) })
}

func (f *failingDisk) syncDir(path string) error {
	return f.around("syncdir", func() error { return f.disk.syncDir(path) })
}

func (f *failingDisk) removeAll(path string) error {
	return f.around("remove", func() error { return f.disk.removeAll(path) })
}

// failingFile is a file on a disk that fails once.
type failingFile struct {
	file
	disk *failingDisk
}

// Write writes p.
func (w *failingFile) Write(p []byte) (n int, err error) {
	err = w.disk.around("write", func() (err error) { n, err = w.file.Write(p); return err })
	return n, err
}

// Sync makes what was written durable.
func (w *failingFile) Sync() error { return w.disk.around("sync", w.file.Sync) }

// Close closes the file, whatever fails: a handle kept open would outlive the test.
func (w *failingFile) Close() error {
	closed := false
	err := w.disk.around("close", func() error { closed = true; return w.file.Close() })
	if !closed {
		return errors.Join(err, w.file.Close())
	}
	return err
}
