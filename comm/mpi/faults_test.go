//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// slack is how much longer than the patience, the questions after it and a launcher's own pauses it may take until a job is gone, on a
// busy machine.
const slack = 20 * time.Second

// TestAbsent: a rank that computes too long is named as one that is there.
func TestAbsent(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		j := begin(t, engine, 3, "absent")
		if code := j.end(scenePatience + slack); code != 69 {
			t.Errorf("exit code %d, want 69", code)
		}
		if out := j.out.String(); !strings.Contains(out, "(sum): there, but not at this round: rank 2 (") || !strings.Contains(out, ", after step 4)") || strings.Contains(out, "not heard from") {
			t.Errorf("said:\n%s", out)
		}
	})
}

// TestStrangers: ranks that come to different rounds don't take each other's numbers.
func TestStrangers(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		j := begin(t, engine, 3, "strangers")
		if code := j.end(slack); code != 69 {
			t.Errorf("exit code %d, want 69", code)
		}
		if out := j.out.String(); !strings.Contains(out, "one to a gather of 100, another to a gather of 200") {
			t.Errorf("said:\n%s", out)
		}
	})
}

// TestStopped: a rank that is stopped, which no launcher notices, is named as one that isn't heard from.
func TestStopped(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		j := begin(t, engine, 3, "stopped")
		if code := j.end(scenePatience + slack); code != 69 {
			t.Errorf("exit code %d, want 69", code)
		}
		if out := j.out.String(); !strings.Contains(out, "(sum): not heard from: rank 2 (") || strings.Contains(out, "not at this round") {
			t.Errorf("said:\n%s", out)
		}
	})
}

// TestKilled: the launcher, or the others, end a job one of whose ranks was killed.
func TestKilled(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		j := begin(t, engine, 3, "killed")
		if code := j.end(scenePatience + slack); code != 137 && code != 9 && code != 69 {
			t.Errorf("exit code %d, want the launcher's 137 or 9, or the ranks' own 69:\n%s", code, j.out.String())
		}
	})
}

// TestLauncherKilled: ranks that compute, and wait for nobody, end when their launcher is gone.
func TestLauncherKilled(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		const ranks = 2
		j := begin(t, engine, ranks, "compute")
		for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			if all, _ := filepath.Glob(filepath.Join(j.folder, "computing*")); len(all) == ranks {
				break
			}
			if time.Since(begin) > long {
				t.Fatalf("the ranks don't begin:\n%s", j.out.String())
			}
		}
		if n := len(j.living()); n != ranks {
			t.Fatalf("%d ranks live", n)
		}
		j.cmd.Process.Kill()
		j.nobody(slack)
	})
}

// TestForeignLibrary: a library of another family than the launcher's would take each rank for the only one.
func TestForeignLibrary(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	for launcher, library := range map[string]string{"openmpi-5": "mpich/lib/libmpi.so.12", "mpich-5": "openmpi/lib/libmpi.so.40", "mpich-system": "openmpi/lib/libmpi.so.40"} {
		t.Run(launcher, func(t *testing.T) {
			foreign := filepath.Join(cache, "jem-mpi", library)
			if !exists(foreign) || !strings.Contains(strings.Join(lines(t, "engines"), " "), launcher) {
				t.Skipf("%s or its opposite is not here: scripts/mpi.sh get", launcher)
			}
			j := begin(t, launcher, 2, "leave", LibraryVariable+"="+foreign)
			if code := j.end(long); code != 78 {
				t.Errorf("exit code %d, want 78", code)
			}
			if out := j.out.String(); !strings.Contains(out, "the library is not the launcher's") || !strings.Contains(out, foreign) {
				t.Errorf("said:\n%s", out)
			}
		})
	}
}

// TestOtherLibraries: MPICH's second library, with the standard's binary interface, and files that are none.
func TestOtherLibraries(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	standard := filepath.Join(cache, "jem-mpi", "mpich", "lib", "libmpi_abi.so.1")
	if !exists(standard) {
		t.Skip("no MPICH 5 here: scripts/mpi.sh get")
	}
	for _, c := range []struct {
		path, says string
		code       int
	}{
		{standard, "closed: ", 0},
		{filepath.Join(cache, "jem-mpi", "mpich", "lib", "libmpi.so.12"), "closed: ", 0},
		{"/no/libmpi.so", "/no/libmpi.so: cannot open shared object file", 78},
		{"libm.so.6", "libm.so.6 is no MPI library", 78},
	} {
		j := begin(t, "mpich-5", 2, "questions", LibraryVariable+"="+c.path)
		if code := j.end(long); code != c.code || !strings.Contains(j.out.String(), c.says) {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", c.path, code, c.code, c.says, j.out.String())
		}
	}
}

// TestBusyMachine: ranks that wait leave the cores alone; MPI's own waiting would take them whole.
func TestBusyMachine(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		j := begin(t, engine, 2, "wait")
		if code := j.end(long); code != 0 {
			t.Fatalf("exit code %d:\n%s", code, j.out.String())
		}
		_, after, _ := strings.Cut(j.out.String(), "waited at a cost of ")
		cost, _, _ := strings.Cut(after, " ")
		share, err := strconv.ParseFloat(cost, 64)
		t.Logf("%s of a core while waiting", cost)
		if err != nil || share > 0.5 {
			t.Errorf("waiting took %q of a core, want at most half", cost)
		}
	})
}

// TestNoLauncher: variables that say there are two ranks don't make MPI find the other.
func TestNoLauncher(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range []string{"openmpi/lib/libmpi.so.40", "mpich/lib/libmpi.so.12", "mpich/lib/libmpi_abi.so.1"} {
		t.Run(filepath.Base(library), func(t *testing.T) {
			path := filepath.Join(cache, "jem-mpi", library)
			if !exists(path) {
				t.Skipf("no %s: scripts/mpi.sh get", path)
			}
			cmd := exec.Command(program)
			cmd.Env = append(os.Environ(), "RANK=0", "WORLD_SIZE=2", sceneVariable+"=leave", folderVariable+"="+t.TempDir(), LibraryVariable+"="+path)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 78 || !strings.Contains(string(out), "RANK and WORLD_SIZE says rank 0 of 2") || !strings.Contains(string(out), "says rank 0 of 1: the library") {
				t.Errorf("exit code %d, want 78:\n%s", code, out)
			}
		})
	}
}

// TestWatch: a rank ends when the process that started it is gone, here a shell that is killed.
func TestWatch(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// The inner shell is the rank's parent, and is killed.
	cmd := exec.Command("sh", "-c", `sh -c '(sleep 0.5; kill -9 $$) & "$0"; true' "$0" & wait $!; true`, program)
	cmd.Env = append(os.Environ(), sceneVariable+"=watch", folderVariable+"="+dir)
	cmd.WaitDelay = slack // for whoever holds its output, the rank included
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "rank 0 on here ends after step 0: the process that started it is gone") {
		t.Errorf("%v:\n%s", err, out)
	}
	j := &job{t: t, folder: dir, ranks: 1}
	j.nobody(slack)
}
