//go:build unix

package main

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// resident is the largest resident memory of a process in bytes.
func resident(s *os.ProcessState) int64 {
	r, ok := s.SysUsage().(*syscall.Rusage)
	if !ok || runtime.GOOS != "linux" { // elsewhere the unit differs
		return 0
	}
	return r.Maxrss * 1024
}

// pipe makes a named pipe that nobody writes to: who opens it waits for ever.
func pipe(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// loop makes a link that points to itself.
func loop(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(name), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// received makes a folder a run's that came from elsewhere.
func received(t *testing.T, dir string) {
	put(t, dir, ".jem-run", nil)
	put(t, dir, "config.yaml", []byte("seed: 1\n"))
}

// link makes a link in a folder, which it returns.
func link(t *testing.T, to, dir, name string) string {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// specialFiles are pipes, loops and files without permission where files are expected.
func specialFiles() []hostile {
	all := []hostile{
		{"a pipe for CIFAR", func(t *testing.T, dir string) []string {
			pipe(t, dir, "data_batch_1.bin")
			return trainOn("cifar10", dir)
		}, exitData, []string{"data_batch_1.bin", "pipe"}},
		{"a pipe for a picture", func(t *testing.T, dir string) []string {
			pipe(t, dir, "cat/a.png")
			return trainOn("folder", dir)
		}, exitData, []string{"no pictures"}},
		{"a pipe for a configuration", func(t *testing.T, dir string) []string {
			return trainOn("cifar10", dir, "--config", pipe(t, dir, "c.yaml"))
		}, exitConfig, []string{"c.yaml", "pipe"}},
		{"an endless device for a configuration", func(_ *testing.T, dir string) []string {
			return trainOn("cifar10", dir, "--config", "/dev/zero")
		}, exitConfig, []string{"/dev/zero", "device"}},
		{"a pipe for a manifest", func(t *testing.T, dir string) []string {
			put(t, dir, "config.yaml", []byte("seed: 1\n"))
			pipe(t, dir, "checkpoints/step-00000001/MANIFEST.json")
			return []string{"eval", "--run", dir, "--quiet"}
		}, exitData, []string{"checkpoint"}},
		{"a pipe for a run's records", func(t *testing.T, dir string) []string {
			received(t, dir)
			pipe(t, dir, "metrics.jsonl")
			return []string{"train", "--resume", dir}
		}, exitData, []string{"metrics.jsonl", "is a pipe"}},
		{"a link for a run's records", func(t *testing.T, dir string) []string {
			received(t, dir)
			return []string{"train", "--resume", link(t, put(t, dir, "mine", []byte("half a line")), dir, "metrics.jsonl")}
		}, exitData, []string{"metrics.jsonl", "is a link"}},
		{"a link for a run's samples", func(t *testing.T, dir string) []string {
			received(t, dir)
			put(t, dir, "mine/step-00000009.png", nil)
			return []string{"train", "--resume", link(t, filepath.Join(dir, "mine"), dir, "samples")}
		}, exitData, []string{"samples", "is a link"}},
		{"a link for a run's checkpoints", func(t *testing.T, dir string) []string {
			received(t, dir)
			return []string{"train", "--resume", link(t, t.TempDir(), dir, "checkpoints")}
		}, exitData, []string{"checkpoints", "is a link"}},
		{"a pipe for a run's lock", func(t *testing.T, dir string) []string {
			received(t, dir)
			pipe(t, dir, ".lock")
			return []string{"train", "--resume", dir}
		}, exitData, []string{".lock", "is a pipe"}},
		{"a pipe for records to compare", func(t *testing.T, dir string) []string {
			pipe(t, dir, "metrics.jsonl")
			return []string{"compare", "--run", dir}
		}, exitData, []string{"metrics.jsonl", "is a pipe"}},
		{"a pipe for a golden step", func(t *testing.T, dir string) []string {
			return []string{"selftest", "--golden", pipe(t, dir, "g.json")}
		}, exitData, []string{"g.json"}},
		{"a pipe for weights", func(t *testing.T, dir string) []string {
			return []string{"score", "--model", pipe(t, dir, "m.pt"), "--input", dir}
		}, exitData, []string{"m.pt", "pipe"}},
		{"a pipe to convert", func(t *testing.T, dir string) []string {
			return []string{"convert", pipe(t, dir, "x.safetensors"), filepath.Join(dir, "x.pt")}
		}, exitData, []string{"x.safetensors", "pipe"}},
		{"a pipe for a run folder", func(t *testing.T, dir string) []string {
			pipe(t, dir, "run")
			return files("cifar10", cifarFiles(make([]byte, 2*3073)), "--set", "sampler.start=uniform")(t, dir)
		}, exitIO, []string{"run"}},
		{"a link to itself for CIFAR", func(t *testing.T, dir string) []string {
			loop(t, dir, "data_batch_1.bin")
			return trainOn("cifar10", dir)
		}, exitIO, []string{"data_batch_1.bin", "symbolic links"}},
		{"a link to itself for a picture", func(t *testing.T, dir string) []string {
			loop(t, dir, "cat/a.png")
			return trainOn("folder", dir)
		}, exitIO, []string{"a.png", "symbolic links"}},
		{"a link to itself for a folder", func(t *testing.T, dir string) []string {
			return trainOn("folder", loop(t, dir, "pictures"), "--out", filepath.Join(dir, "run"))
		}, exitIO, []string{"pictures", "symbolic links"}},
		{"a link to itself for a configuration", func(t *testing.T, dir string) []string {
			return trainOn("cifar10", dir, "--config", loop(t, dir, "c.yaml"))
		}, exitIO, []string{"c.yaml", "symbolic links"}},
	}
	if os.Geteuid() == 0 {
		return all // the superuser may read everything
	}
	return append(all,
		hostile{"data that may not be read", func(t *testing.T, dir string) []string {
			args := files("cifar10", cifarFiles(make([]byte, 3073)))(t, dir)
			if err := os.Chmod(filepath.Join(dir, "data_batch_1.bin"), 0); err != nil {
				t.Fatal(err)
			}
			return args
		}, exitIO, []string{"data_batch_1.bin", "permission denied"}},
		hostile{"a configuration that may not be read", func(t *testing.T, dir string) []string {
			path := put(t, dir, "c.yaml", []byte("seed: 1\n"))
			if err := os.Chmod(path, 0); err != nil {
				t.Fatal(err)
			}
			return trainOn("cifar10", dir, "--config", path)
		}, exitIO, []string{"c.yaml", "permission denied"}},
	)
}
