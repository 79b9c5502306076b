//go:build mpi && linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// These tests start ranks of a program with faults in it.

// faultyProgram has a place in it, in each stage, at which a rank does as its environment says. Built once.
var faultyProgram = sync.OnceValues(func() (string, error) {
	dir, replaced := filepath.Join(filepath.Dir(jem), "faulty"), map[string]string{}
	root, err := filepath.Abs("../..")
	if err == nil {
		err = os.Mkdir(dir, 0o777)
	}
	if err != nil {
		return "", err
	}
	write := func(name, text string) error {
		copied := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		replaced[filepath.Join(root, name)] = copied
		return os.WriteFile(copied, []byte(text), 0o666)
	}
	err = write("internal/failpoint/here.go", `package failpoint

import ("fmt"; "os"; "sync/atomic"; "syscall"; "time")

var heres atomic.Int64

// Here is a place in the program.
func Here(name string) {
	var at, does string
	var n int64
	fmt.Sscanf(os.Getenv("JEM_TEST_HERE"), "%s %d %s", &at, &n, &does)
	if at != name || heres.Add(1) != n { return }
	switch does {
	case "panic": panic("a bug that was asked for")
	case "signal": syscall.Kill(os.Getpid(), syscall.SIGUSR1); time.Sleep(300*time.Millisecond)
	case "compute": for begin := time.Now(); time.Since(begin) < 6*time.Second; {}
	}
}
`)
	if err != nil {
		return "", err
	}
	for _, at := range []struct{ place, file, before string }{
		{"open", "train/session/session.go", "\tfrom.Rank, from.Ranks ="},
		{"step", "train/trainer.go", "\tr, err := t.step.Take("},
		{"evaluate", "train/judge.go", "\t\t\tout, err := t.eval.Forward("},
		{"save", "train/trainer.go", "\tif k == nil || now == t.saved {"},
		{"write", "train/writing.go", "\tw.path, w.err = write()"},
		{"close", "train/session/session.go", "\tif s.journal != nil {\n\t\terr = s.journal.Close()"},
	} {
		name := filepath.Join(root, at.file)
		if copied := replaced[name]; copied != "" {
			name = copied
		}
		text, err := os.ReadFile(name)
		if err != nil || strings.Count(string(text), at.before) != 1 {
			return "", fmt.Errorf("%s: no place for %q, or several: %w", at.file, at.before, err)
		}
		edited := strings.Replace(string(text), at.before, "\tfailpoint.Here("+strconv.Quote(at.place)+")\n"+at.before, 1)
		if !strings.Contains(edited, `"jem/internal/failpoint"`) {
			edited = strings.Replace(edited, "import (\n", "import (\n\t\"jem/internal/failpoint\"\n", 1)
		}
		if err := write(at.file, edited); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o666); err != nil {
		return "", err
	}
	return buildMPI("jem-faulty", "-overlay", overlay)
})

// faulty is the program with the faults.
func (c *mpiCourse) faulty() string {
	c.t.Helper()
	program, err := faultyProgram()
	if err != nil {
		c.t.Fatal(err)
	}
	return program
}

// here is a rank that does something at a place, the nth time that it comes there.
func here(place string, n int, does string) mpiRank {
	return mpiRank{env: []string{fmt.Sprintf("JEM_TEST_HERE=%s %d %s", place, n, does)}}
}

// A signal that comes while images are opened, in the first evaluation, in a save, at the very end: to either rank.
// The run is saved and goes on, with the bits of one that nobody stopped, or it was done.
func TestASignalInEachStageOverMPI(t *testing.T) {
	onAnMPI(t, func(t *testing.T, c *mpiCourse) {
		c.program = c.faulty()
		whole := c.short()
		whole.finish()
		for i, tc := range []struct {
			place string
			n     int
			code  int
		}{
			{"open", 1, exitStopped}, {"step", 1, exitStopped}, {"evaluate", 1, exitStopped}, {"evaluate", 1, exitStopped}, {"save", 1, exitStopped}, {"save", 2, exitStopped},
			{"step", 8, exitStopped}, {"save", 3, exitDone}, {"close", 1, exitDone},
		} {
			run, ranks := c.short(), [2]mpiRank{}
			ranks[i%2] = here(tc.place, tc.n, "signal")
			code, said, took := run.aside(ranks)
			t.Logf("%s %d, rank %d: exit code %d after %v: %s", tc.place, tc.n, i%2, code, took.Round(time.Millisecond), strings.TrimSpace(said))
			if messages := strings.Count(said, "jem: stopped after step"); code != tc.code || (messages == 1) != (code == exitStopped) {
				t.Errorf("exit code %d, want %d\n%s", code, tc.code, said)
			}
			run.sound()
			run.finish()
			run.same(whole, 8)
		}
	})
}

// A bug in one rank, in whichever stage and goroutine, ends all of them at once, with its trace.
func TestABugOfOneRankOverMPI(t *testing.T) {
	onAnMPI(t, func(t *testing.T, c *mpiCourse) {
		c.program = c.faulty()
		for _, tc := range []struct {
			place   string
			n, rank int
		}{{"open", 1, 1}, {"step", 3, 1}, {"step", 3, 0}, {"evaluate", 1, 1}, {"save", 2, 1}, {"write", 2, 0}, {"close", 1, 1}} {
			run, ranks := c.short(), [2]mpiRank{}
			ranks[tc.rank] = here(tc.place, tc.n, "panic")
			code, said, took := run.aside(ranks)
			t.Logf("%s %d, rank %d: exit code %d after %v", tc.place, tc.n, tc.rank, code, took.Round(time.Millisecond))
			if code != exitBug || took > 30*time.Second || strings.Count(said, "jem: internal error, please report it: a bug that was asked for") != 1 {
				t.Errorf("exit code %d after %v\n%s", code, took, said)
			}
			run.sound()
			run.finish()
		}
	})
}

// A rank that computes for longer than the others wait is named as one that is there, with what would help; they don't
// wait for ever, since it may have come to a standstill.
func TestASlowStepOverMPI(t *testing.T) {
	onAnMPI(t, func(t *testing.T, c *mpiCourse) {
		c.program = c.faulty()
		run := c.short("--rank-timeout", "1s")
		code, said, _ := run.aside([2]mpiRank{{}, here("step", 3, "compute")})
		shows(t, code, exitDevice, said, "there, but not at this round: rank 1 (", "--rank-timeout")
		// In an evaluation a rank may take its time.
		run = c.short("--rank-timeout", "1s")
		if code, said, _ := run.aside([2]mpiRank{{}, here("evaluate", 1, "compute")}); code != exitDone {
			t.Errorf("in an evaluation: exit code %d\n%s", code, said)
		}
	})
}
