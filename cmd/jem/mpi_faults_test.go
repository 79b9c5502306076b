//go:build mpi && linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/internal/rundir"
)

// What goes wrong on one rank alone, in each stage of a run: all ranks leave soon, with one code and one message,
// and once it is mended the same command brings the run to its end. What is tested is jem's own, so one engine will do.

// onAnMPI is onEachMPI with the first one alone.
func onAnMPI(t *testing.T, test func(t *testing.T, c *mpiCourse)) {
	first := true
	onEachMPI(t, func(t *testing.T, c *mpiCourse) {
		if !first {
			t.Skip("seen with another engine")
		}
		first = false
		test(t, c)
	})
}

// mpiRank is how a rank is started that differs from others; zero values: as all.
type mpiRank struct {
	dir, program string
	env          []string
}

// aside starts two ranks, each in its own way, and returns the launcher's exit code, what was said and how long
// it took.
func (c *mpiCourse) aside(ranks [2]mpiRank) (code int, said string, took time.Duration) {
	c.t.Helper()
	args := []string{"run", c.engine}
	for i, r := range ranks {
		if i > 0 {
			args = append(args, ":", "-n")
		}
		dir, program := r.dir, r.program
		if dir == "" {
			dir = "."
		}
		if program == "" {
			program = c.program
		}
		args = append(append(append(args, "1", "sh", "-c", `cd "$0" && exec env "$@"`, dir), r.env...), program)
		args = append(args, c.flags()...)
	}
	cmd := exec.Command(mpiScript, args...)
	cmd.Env = mpiEnv()
	begin := time.Now()
	watchdog := time.AfterFunc(time.Minute, func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	defer watchdog.Stop()
	out, _ := cmd.CombinedOutput() // the code tells
	return cmd.ProcessState.ExitCode(), string(out), time.Since(begin)
}

// short is a run of eight steps, two ranks, that is saved three times.
func (c *mpiCourse) short(more ...string) *mpiCourse {
	return c.of(2, append([]string{"--steps", "8", "--set", "train.save_every=4", "--set", "train.eval_every=4", "--set", "train.sample_every=4"}, more...)...)
}

// shows fails unless a run ended with the code and one message, which says all of these.
func shows(t *testing.T, code, want int, said string, parts ...string) {
	t.Helper()
	if code != want || strings.Count("\n"+said, "\njem: ") != 1 {
		t.Errorf("exit code %d, want %d and one message\n%s", code, want, said)
	}
	for _, p := range parts {
		if !strings.Contains(said, p) {
			t.Errorf("%q is not in\n%s", p, said)
		}
	}
}

// sound fails unless every checkpoint of the run is.
func (c *mpiCourse) sound() {
	c.t.Helper()
	saved, _ := filepath.Glob(filepath.Join(rundir.Path(c.out).Checkpoints(), "step-*"))
	if out, err := exec.Command(jem, "checkpoint", "verify", c.out).CombinedOutput(); err != nil && len(saved) > 0 {
		c.t.Errorf("%v\n%s", err, out)
	}
}

// A disk that fails the first rank, which alone writes, at its first checkpoint, at one that is written while training
// goes on, at the last one, and at other records.
func TestFailingWritesOverMPI(t *testing.T) {
	onAnMPI(t, func(t *testing.T, c *mpiCourse) {
		for _, point := range []string{"ckpt.write:1", "ckpt.rename.before:2", "ckpt.rename.before:3", "ckpt.syncdir:5", "metrics.write.before:3", "events.write:40", "file.rename.before:5", "file.rename.before:9"} {
			run := c.short()
			code, said, took := run.aside([2]mpiRank{{env: []string{"JEM_FAILPOINT=" + point + ":error"}}, {}})
			t.Logf("%s: exit code %d after %v: %s", point, code, took.Round(time.Millisecond), strings.TrimSpace(said))
			shows(t, code, exitIO, said, run.out, "fails as asked")
			run.sound()
			run.finish()
		}
	})
}

// Images that one rank doesn't have, or has others of, a checkpoint that one can't read, another program: as on
// machines that don't see the same files, each rank has a folder of its own to work in.
func TestWhatOneRankAloneSeesOverMPI(t *testing.T) {
	onAnMPI(t, func(t *testing.T, c *mpiCourse) {
		home := func() string {
			dir := t.TempDir()
			for _, class := range []string{"dark", "light"} {
				ownPictures(t, filepath.Join(dir, "pictures"), class, 12, 8)
			}
			return dir
		}
		other, err := buildMPI("jem-other", "-ldflags", "-X main.release=v9")
		if err != nil {
			t.Fatal(err)
		}
		remove := func(dir, what string) error { return os.RemoveAll(filepath.Join(dir, what)) }
		for name, tc := range map[string]struct {
			begun  bool // there is a run already, of which each sees a copy
			change func(dir string) error
			ranks  func(r *mpiRank)
			code   int
			says   []string
		}{
			"no images":              {false, func(dir string) error { return remove(dir, "pictures") }, nil, exitData, []string{"rank 1 on ", "pictures"}},
			"no images for the rest": {true, func(dir string) error { return remove(dir, "pictures") }, nil, exitData, []string{"rank 1 on ", "pictures"}},
			"other images": {false, func(dir string) error {
				return os.Remove(firstOf(dir, "pictures/dark/*"))
			}, nil, exitConfig, []string{"data", "rank 0 has", "rank 1 has"}},
			"other images for the rest": {true, func(dir string) error {
				return os.Remove(firstOf(dir, "pictures/dark/*"))
			}, nil, exitConfig, []string{"data: rank 0 has", "rank 1 has"}},
			"a damaged checkpoint": {true, func(dir string) error {
				return os.Truncate(firstOf(dir, "run/checkpoints/step-00000008/optim.safetensors"), 100)
			}, nil, exitData, []string{"rank 1 on ", "optim.safetensors"}},
			"no checkpoint": {true, func(dir string) error { return remove(dir, "run/checkpoints/step-00000008") }, nil, exitData, []string{"rank 1 on ", "step-00000008"}},
			"no run":        {true, func(dir string) error { return remove(dir, "run") }, nil, exitData, []string{"rank 1 on ", "run"}},
			"settings that can't be read": {true, func(dir string) error {
				return os.WriteFile(filepath.Join(dir, "run", "config.yaml"), []byte("a: ["), 0o666)
			}, nil, exitConfig, []string{"rank 1 on ", "config.yaml"}},
			"another program":       {false, func(string) error { return nil }, func(r *mpiRank) { r.program = other }, exitConfig, []string{"program: rank 0 has", "rank 1 has"}},
			"a program without MPI": {false, func(string) error { return nil }, func(r *mpiRank) { r.program = jem }, exitConfig, nil},
		} {
			t.Run(name, func(t *testing.T) {
				first, second := home(), home()
				run := c.short("--dataset", "folder", "--data-dir", "pictures", "--batch", "4", "--buffer-size", "20", "--set", "model.width=1", "--set", "model.depth=10",
					"--set", "data.valid=4", "--set", "data.crop=0")
				run.t, run.out = t, "run"
				both := [2]mpiRank{{dir: first}, {dir: first}}
				if tc.begun { // in a folder that isn't there any more, so that each finds what it has itself
					begun := home()
					if code, said, _ := run.aside([2]mpiRank{{dir: begun}, {dir: begun}}); code != exitDone {
						t.Fatalf("%d\n%s", code, said)
					}
					for _, dir := range []string{first, second} {
						if err := os.CopyFS(filepath.Join(dir, "run"), os.DirFS(filepath.Join(begun, "run"))); err != nil {
							t.Fatal(err)
						}
					}
					if err := os.RemoveAll(begun); err != nil {
						t.Fatal(err)
					}
					run.more = append(run.more, "--steps", "12", "--allow-changes")
				}
				if err := tc.change(second); err != nil {
					t.Fatal(err)
				}
				apart := [2]mpiRank{{dir: first}, {dir: second}}
				if tc.ranks != nil {
					tc.ranks(&apart[1])
				}
				code, said, took := run.aside(apart)
				t.Logf("exit code %d after %v: %s", code, took.Round(time.Millisecond), strings.TrimSpace(said))
				if name == "a program without MPI" { // the launcher alone can tell which one it is
					if code != tc.code || took > 30*time.Second {
						t.Errorf("exit code %d after %v\n%s", code, took, said)
					}
				} else {
					shows(t, code, tc.code, said, tc.says...)
				}
				if !tc.begun {
					if _, err := os.Stat(filepath.Join(first, "run")); err == nil {
						t.Error("there is a run's folder")
					}
				}
				if code, said, _ := run.aside(both); code != exitDone {
					t.Errorf("mended: exit code %d\n%s", code, said)
				}
			})
		}
	})
}

func firstOf(dir, pattern string) string {
	all, _ := filepath.Glob(filepath.Join(dir, pattern))
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// same compares the last checkpoints of two runs.
func (c *mpiCourse) same(other *mpiCourse, step int) {
	c.t.Helper()
	name := fmt.Sprintf("step-%08d", step)
	files, _ := filepath.Glob(filepath.Join(rundir.Path(other.out).Checkpoints(), name, "*.safetensors"))
	for _, f := range files {
		want, err := os.ReadFile(f)
		is, failed := os.ReadFile(filepath.Join(rundir.Path(c.out).Checkpoints(), name, filepath.Base(f)))
		if err != nil || failed != nil || string(is) != string(want) {
			c.t.Errorf("%s is not that of a run without interruption: %v, %v", filepath.Base(f), err, failed)
		}
	}
	if len(files) == 0 {
		c.t.Error("there is nothing to compare")
	}
}

// Of two jobs that are started at once with one command, one trains, and all ranks of the other end with 73.
func TestTwoJobsWithOneFolderOverMPI(t *testing.T) {
	onAnMPI(t, func(t *testing.T, c *mpiCourse) {
		run := c.short("--steps", "30")
		var jobs sync.WaitGroup
		var codes [2]int
		var said [2]string
		for i := range codes {
			jobs.Go(func() { codes[i], said[i], _ = run.aside([2]mpiRank{}) })
		}
		jobs.Wait()
		loser := 0
		if codes[0] == exitDone {
			loser = 1
		}
		t.Logf("exit codes %v: %s", codes, strings.TrimSpace(said[loser]))
		if codes[1-loser] != exitDone {
			t.Errorf("none came to its end: %v\n%q", codes, said)
		}
		shows(t, codes[loser], exitBusy, said[loser], run.out)
	})
}
