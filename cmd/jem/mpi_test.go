//go:build mpi && linux && (amd64 || arm64)

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jem/backend/philox"
	"jem/internal/rundir"
)

// These tests start the program as the ranks of a run, under each MPI that is here: make test-mpi.

// mpiKillsEnv is how many times TestLostRanksOverMPI loses ranks; a soak asks for more.
const mpiKillsEnv = "JEM_MPI_KILLS"

// mpiScript starts ranks and lists engines.
const mpiScript = "../../scripts/mpi.sh"

// buildMPI builds a program that has MPI, beside the one without.
func buildMPI(name string, flags ...string) (string, error) {
	program := filepath.Join(filepath.Dir(jem), name)
	build := exec.Command("go", append(append([]string{"build", "-tags", "mpi"}, flags...), "-o", program, ".")...)
	build.Env = append(mpiEnv(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
}

// mpiProgram is the one of all tests, built once.
var mpiProgram = sync.OnceValues(func() (string, error) { return buildMPI("jem-mpi") })

// onEachMPI makes a subtest of each engine, with a program that has MPI.
func onEachMPI(t *testing.T, test func(t *testing.T, c *mpiCourse)) {
	t.Helper()
	program, err := mpiProgram()
	if err != nil {
		t.Fatal(err)
	}
	list := func(what string) []string {
		cmd := exec.Command(mpiScript, what)
		cmd.Env = mpiEnv()
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v", mpiScript, what, err)
		}
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	}
	for _, why := range list("why-not") {
		name, _, _ := strings.Cut(why, ":")
		t.Run(name, func(t *testing.T) { t.Skip(why) })
	}
	for _, engine := range list("engines") {
		t.Run(engine, func(t *testing.T) { test(t, &mpiCourse{t: t, program: program, engine: engine}) })
	}
}

// mpiEnv has the tester's own cache, where engines are.
func mpiEnv() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "XDG_CACHE_HOME=") })
	if cacheHome != "" {
		env = append(env, "XDG_CACHE_HOME="+cacheHome)
	}
	return env
}

// mpiCourse is one run of several ranks, started again and again until it is done.
type mpiCourse struct {
	t               *testing.T
	program, engine string
	out             string
	ranks           int
	more            []string // flags
}

// mpiSteps are those of a run in which everything happens.
const mpiSteps = 40

// of is a new run.
func (c *mpiCourse) of(ranks int, more ...string) *mpiCourse {
	c.t.Helper()
	return &mpiCourse{c.t, c.program, c.engine, filepath.Join(c.t.TempDir(), "run"), ranks, more}
}

func (c *mpiCourse) flags() []string {
	return append([]string{"train", "--preset", "shapes-demo", "--out", c.out, "--resume-if-there", "--threads", "1", "--conv-algo", "direct",
		"--steps", strconv.Itoa(mpiSteps), "--sgld-steps", "3", "--quiet", "--rank-timeout", "5s", "--set", "train.log_every=1", "--set", "train.save_every=7",
		"--set", "train.eval_every=16", "--set", "train.sample_every=20", "--set", "optim.ema=0.9"}, c.more...)
}

func (c *mpiCourse) command() *exec.Cmd {
	cmd := exec.Command(mpiScript, append([]string{"run", c.engine, strconv.Itoa(c.ranks), c.program}, c.flags()...)...)
	if c.ranks == 1 {
		cmd = exec.Command(c.program, c.flags()...)
	}
	cmd.Env = mpiEnv()
	return cmd
}

// finish lets the run come to its end.
func (c *mpiCourse) finish() {
	c.t.Helper()
	if out, err := c.command().CombinedOutput(); err != nil {
		c.t.Fatalf("%v\n%s", err, out)
	}
}

// undisturbed are the tensors of a run that nothing happens to, trained once for all tests of an engine.
func (c *mpiCourse) undisturbed(ranks int) map[string]string {
	c.t.Helper()
	key := fmt.Sprintf("%s, %d ranks", c.engine, ranks)
	if undisturbed[key] == nil {
		whole := c.of(ranks)
		whole.finish()
		undisturbed[key] = whole.tensors()
	}
	return undisturbed[key]
}

var undisturbed = map[string]map[string]string{}

// tensors are those of the last checkpoint, by file.
func (c *mpiCourse) tensors() map[string]string {
	c.t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob(filepath.Join(rundir.Path(c.out).Checkpoints(), fmt.Sprintf("step-%08d", mpiSteps), "*.safetensors"))
	if err != nil || len(files) != 4 {
		c.t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			c.t.Fatal(err)
		}
		all[filepath.Base(f)] = string(b)
	}
	return all
}

func (c *mpiCourse) compare(want map[string]string) {
	c.t.Helper()
	for name, tensors := range c.tensors() {
		if tensors != want[name] {
			c.t.Errorf("%s is not that of a run without interruption", name)
		}
	}
}

// steps are a figure of the steps so far, in order.
func (c *mpiCourse) steps(name string) (all []float64) {
	c.t.Helper()
	records, _, err := rundir.ReadMetrics(rundir.Path(c.out).Metrics())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range records {
		if r.Kind == "train" {
			all = append(all, r.Values[name])
		}
	}
	return all
}

// pids are the processes of the ranks that run now, as the run's folder tells them, once they are there and the
// run is at the step.
func (c *mpiCourse) pids(step int) []int {
	c.t.Helper()
	all := make([]int, c.ranks)
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if len(c.steps("loss")) < step {
			continue
		}
		var holder rundir.Holder
		text, err := os.ReadFile(filepath.Join(c.out, ".lock.json"))
		if err != nil || json.Unmarshal(text, &holder) != nil {
			continue
		}
		all[0] = holder.PID
		for rank := 1; rank < c.ranks; rank++ {
			all[rank] = lastPID(rundir.Path(c.out).RankLog(rank))
		}
		if !slices.Contains(all, 0) {
			return all
		}
	}
	c.t.Fatalf("no step %d, or no ranks: %v", step, all)
	return nil
}

// lastPID is the latest that a rank's log has; 0: none.
func lastPID(path string) (pid int) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var line struct {
			PID int `json:"pid"`
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.PID > 0 {
			pid = line.PID
		}
	}
	return pid
}

// interrupt starts the run and does something to it at a step; it returns the launcher's exit code, what was said, and
// how long it took from then until the launcher and all ranks were gone.
func (c *mpiCourse) interrupt(step int, do func(launcher *os.Process, ranks []int)) (code int, said string, took time.Duration) {
	c.t.Helper()
	cmd := c.command()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ranks := c.pids(step)
	begin := time.Now()
	do(cmd.Process, ranks)
	watchdog := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	_ = cmd.Wait() // the code tells
	for _, pid := range ranks {
		for deadline := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				c.t.Errorf("process %d of %v is still there", pid, ranks)
				_ = syscall.Kill(pid, syscall.SIGKILL)
				break
			}
		}
	}
	return cmd.ProcessState.ExitCode(), out.String(), time.Since(begin)
}

// alive reports whether a process is there and not a zombie, which somebody has to take leave of.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// Several ranks follow one: the same losses and gradients for 50 steps, within what rounding makes of another order of
// additions. At a learning rate at which steps don't amplify it that is a few 2⁻²⁴ of a gradient, and less of a loss;
// at the usual one a network of this size multiplies it by ten a step where the warm-up ends, and the courses part.
func TestRanksOverMPIFollowOne(t *testing.T) {
	calm, alone := []string{"--lr", "1e-5", "--steps", "50"}, map[string][]float64{}
	onEachMPI(t, func(t *testing.T, c *mpiCourse) {
		if len(alone) == 0 { // one rank has no engine
			one := c.of(1, calm...)
			one.finish()
			alone["loss"], alone["grad_norm"] = one.steps("loss"), one.steps("grad_norm")
		}
		two := c.of(2, calm...)
		two.finish()
		for name, want := range alone {
			got := two.steps(name)
			if len(want) != 50 || len(got) != 50 {
				t.Fatalf("%d and %d steps", len(want), len(got))
			}
			most := 0.0
			for i := range want {
				most = max(most, math.Abs(want[i]-got[i])/math.Abs(want[i]))
			}
			if t.Logf("%s: %.1e apart at most", name, most); !(most <= 1e-5) || want[0] == want[49] {
				t.Errorf("%s: %v, of one rank %v", name, got, want)
			}
		}
	})
}

// A signal to any one of the ranks stops all of them after the same step, with a checkpoint, and the run ends as
// one that nobody stopped.
func TestASignalOverMPIStopsAllRanks(t *testing.T) {
	onEachMPI(t, func(t *testing.T, c *mpiCourse) {
		want := c.undisturbed(2)
		for rank := range 2 {
			run := c.of(2)
			code, said, took := run.interrupt(5, func(_ *os.Process, ranks []int) { _ = syscall.Kill(ranks[rank], syscall.SIGUSR1) })
			if code != exitStopped || strings.Count(said, "jem: stopped after step") != 1 {
				t.Errorf("rank %d was told: exit code %d\n%s", rank, code, said)
			}
			t.Logf("rank %d was told: ended after %v", rank, took.Round(time.Millisecond))
			run.finish()
			run.compare(want)
		}
	})
}

// A wrong setting of a rank, an occupied folder and the like end all ranks with one code and one message.
func TestWhatIsWrongIsSaidOnceOverMPI(t *testing.T) {
	onEachMPI(t, func(t *testing.T, c *mpiCourse) {
		for name, tc := range map[string]struct {
			more []string
			code int
			says string
		}{
			"a setting that is none":   {[]string{"--set", "optim.nothing=1"}, exitConfig, "optim.nothing"},
			"a batch that isn't even":  {[]string{"--batch", "9"}, exitConfig, "train.batch"},
			"no images":                {[]string{"--dataset", "folder", "--data-dir", "nowhere"}, exitData, "nowhere"},
			"no such flag":             {[]string{"--nothing"}, exitUsage, "--nothing"},
			"a timeout that is none":   {[]string{"--rank-timeout", "1ms"}, exitUsage, "--rank-timeout"},
			"instructions of no kind":  {[]string{"--cpu-isa", "none"}, exitConfig, "none"},
			"a folder that isn't ours": {[]string{"--out", "."}, exitBusy, "."},
		} {
			run := c.of(2, tc.more...)
			cmd := run.command()
			out, _ := cmd.CombinedOutput() // the code tells
			// Launchers say things of their own.
			if code := cmd.ProcessState.ExitCode(); code != tc.code && !(code == 9 && strings.HasPrefix(c.engine, "mpich")) || strings.Count(string(out), "jem: ") != 1 || !strings.Contains(string(out), tc.says) {
				t.Errorf("%s: exit code %d, want %d\n%s", name, code, tc.code, out)
			}
		}
	})
}

// Whatever is done to a rank or to the launcher, nobody stays, and the run goes on from its last checkpoint and ends
// with the bits of one that nothing happened to.
func TestLostRanksOverMPI(t *testing.T) {
	size, kills := 2, trials(t, mpiKillsEnv, 3)
	if kills > 3 {
		size = 4
	}
	moment := philox.New(3, 0, philox.Test)
	onEachMPI(t, func(t *testing.T, c *mpiCourse) {
		want := c.undisturbed(size)
		for i := range kills {
			which := moment.IntN(uint64(3*i), size)
			at := 1 + moment.IntN(uint64(3*i+1), mpiSteps-6)
			kind, what := i%3, [3]string{"killed", "stood still", "lost its launcher"}[i%3]
			run := c.of(size)
			code, said, took := run.interrupt(at, func(launcher *os.Process, ranks []int) {
				switch kind {
				case 0:
					_ = syscall.Kill(ranks[which], syscall.SIGKILL)
				case 1:
					_ = syscall.Kill(ranks[which], syscall.SIGSTOP)
				case 2:
					_ = launcher.Kill()
				}
			})
			if kind == 1 && code != exitDevice {
				t.Errorf("rank %d %s at step %d: exit code %d\n%s", which, what, at, code, said)
			}
			if code == exitDone {
				t.Errorf("rank %d %s at step %d, and the job says it is done", which, what, at)
			}
			if took > 30*time.Second {
				t.Errorf("rank %d %s at step %d, and all were gone after %v only\n%s", which, what, at, took, said)
			}
			t.Logf("rank %d of %d %s at step %d: exit code %d, all gone after %v", which, size, what, at, code, took.Round(time.Millisecond))
			run.finish()
			run.compare(want)
		}
	})
}
