package mpi

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCandidates(t *testing.T) {
	root := t.TempDir()
	os.MkdirAll(filepath.Join(root, "lib"), 0o755)
	own := filepath.Join(root, "lib", "libmpi.so.12")
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	launchers := []string{filepath.Join(root, "bin", "hydra_pmi_proxy")}
	for _, c := range []struct {
		name, named, pmi string
		launchers, want  []string
	}{
		{"named by the user", "/opt/libmpi.so", "pmix", launchers, []string{"/opt/libmpi.so"}},
		{"the launcher's", "", "pmi", launchers, []string{own, "libmpi_abi.so.1"}},
		{"MPICH's server", "", "pmi", nil, []string{"libmpi_abi.so.1", "libmpi.so.12", "libmpich.so.12", "libmpi.so.40"}},
		{"Open MPI's server", "", "pmix", nil, []string{"libmpi.so.40", "libmpi.so.12"}},
	} {
		if got := candidates(c.named, c.pmi, c.launchers); len(got) < len(c.want) || !slices.Equal(got[:len(c.want)], c.want) {
			t.Errorf("%s: %q, want first %q", c.name, got, c.want)
		}
	}
}

// TestLaunchersAbove: a launcher two generations above, behind a shell whose name has a bracket in it.
func TestLaunchersAbove(t *testing.T) {
	proc := t.TempDir()
	for _, p := range []struct{ pid, exe, stat string }{
		{"40", "/usr/bin/jem-mpi", "40 (jem-mpi) S 30 40 40 0"},
		{"30", "/bin/bash", "30 (a) b) S 20 30 30 0"},
		{"20", "/opt/mpi/bin/prterun", "20 (prterun) S 10 20 20 0"},
		{"10", "/sbin/init", "10 (init) S 1 1 1 0"},
	} {
		dir := filepath.Join(proc, p.pid)
		os.Mkdir(dir, 0o755)
		os.Symlink(p.exe, filepath.Join(dir, "exe"))
		os.WriteFile(filepath.Join(dir, "stat"), []byte(p.stat), 0o644)
	}
	if got := launchersAbove(proc, 40); !slices.Equal(got, []string{"/opt/mpi/bin/prterun"}) {
		t.Errorf("launchers %q", got)
	}
	if got := launchersAbove(proc, 99); len(got) != 0 {
		t.Errorf("of no process: %q", got)
	}
}

func TestVersionIn(t *testing.T) {
	for text, want := range map[string]string{
		"Open MPI v5.0.11, package: Open MPI root@x Distribution, ident: 5.0.11, repo rev: v5.0.11\x00": "Open MPI 5.0.11",
		"MPICH Version:      4.0.2\nMPICH Release date: Thu Apr  7":                                     "MPICH 4.0.2",
		"Intel(R) MPI Library 2021.11 for Linux* OS\n":                                                  "Intel(R) MPI Library 2021.11 for Linux* OS",
	} {
		if got := versionIn(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
