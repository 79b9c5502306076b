//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script starts engines; it knows which are here.
const script = "../../scripts/mpi.sh"

// onEachEngine makes a subtest of each engine that is here, and one that says why of those that aren't.
func onEachEngine(t *testing.T, test func(t *testing.T, engine string)) {
	t.Helper()
	for _, engine := range lines(t, "engines") {
		t.Run(engine, func(t *testing.T) { test(t, engine) })
	}
	for _, why := range lines(t, "why-not") {
		name, reason, _ := strings.Cut(why, ": ")
		t.Run(name, func(t *testing.T) { t.Skip(reason) })
	}
}

func lines(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.Command(script, command).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", script, command, err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// job is a launcher with ranks that play a scene.
type job struct {
	t      *testing.T
	cmd    *exec.Cmd
	folder string
	ranks  int
	out    bytes.Buffer
	done   chan error
}

// begin starts a job; the test's end kills what is left of it.
func begin(t *testing.T, engine string, ranks int, scene string, env ...string) *job {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	j := &job{t: t, folder: t.TempDir(), ranks: ranks, done: make(chan error, 1)}
	j.cmd = exec.Command(script, "run", engine, strconv.Itoa(ranks), program)
	j.cmd.Env = append(os.Environ(), append(env, sceneVariable+"="+scene, folderVariable+"="+j.folder)...)
	j.cmd.Stdout, j.cmd.Stderr = &j.out, &j.out
	j.cmd.WaitDelay = time.Second // orphans hold the pipe
	if err := j.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { j.done <- j.cmd.Wait() }()
	t.Cleanup(func() {
		j.cmd.Process.Kill()
		for _, pid := range j.living() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return j
}

// end waits for the launcher's exit code, and that no rank is left.
func (j *job) end(within time.Duration) int {
	j.t.Helper()
	select {
	case err := <-j.done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
			j.t.Fatal(err)
		}
	case <-time.After(within):
		j.t.Fatalf("the launcher has not ended within %s, ranks %v live on", within, j.living())
	}
	j.nobody(5 * time.Second)
	return j.cmd.ProcessState.ExitCode()
}

// nobody waits until all ranks are gone.
func (j *job) nobody(within time.Duration) {
	j.t.Helper()
	for begin := time.Now(); len(j.living()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > within {
			j.t.Fatalf("processes %v are left after %s", j.living(), within)
		}
	}
}

// living are the ranks' processes that there are; what only waits to be collected isn't.
func (j *job) living() (pids []int) {
	for r := range j.ranks {
		text, _ := os.ReadFile(filepath.Join(j.folder, strconv.Itoa(r)))
		pid, err := strconv.Atoi(string(text))
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && !strings.Contains(string(stat), ") Z ") {
			pids = append(pids, pid)
		}
	}
	return pids
}
