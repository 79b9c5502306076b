package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"jem/backend/philox"
	"jem/internal/rundir"
)

// crashRuns is how many runs TestKilledRuns and TestSignalledRuns interrupt; make
// test-crash asks for more.
const (
	killsEnv   = "JEM_CRASH_KILLS"
	signalsEnv = "JEM_CRASH_SIGNALS"
)

func trials(t *testing.T, env string, usual int) int {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	if testing.Short() {
		return 2
	}
	return usual
}

// eventful are settings under which a small run comes by everything that a run can: records
// that span checkpoints, evaluations, pictures, pruning and, thanks to a narrow guard, a
// rollback.
var eventful = []string{
	"--batch", "2", "--sgld-steps", "1", "--steps", "14", "--threads", "1", "--lr", "0.003", "--quiet",
	"--set", "model.depth=10", "--set", "train.log_every=2", "--set", "train.save_every=3", "--set", "train.eval_every=5",
	"--set", "train.sample_every=7", "--set", "optim.ema=0.9", "--set", "optim.warmup=0",
	"--set", "guard.max_gap=0.15", "--set", "guard.suspect=4", "--set", "guard.budget=50", "--set", "guard.lr_factor=0.8",
}

// course is one run, started and resumed until it is done.
type course struct {
	t         *testing.T
	data, out string
	env       []string
}

func newCourse(t *testing.T, data string) *course {
	t.Helper()
	return &course{t: t, data: data, out: filepath.Join(t.TempDir(), "run")}
}

// command starts the run, or goes on with what there is of it.
func (c *course) command() *exec.Cmd {
	args := []string{"train", "--quiet", "--resume", c.out}
	if _, err := os.Stat(rundir.Path(c.out).Config()); err != nil {
		args = small(c.data, c.out, eventful...)
	}
	cmd := exec.Command(jem, args...)
	cmd.Env = append(os.Environ(), c.env...)
	return cmd
}

// finish lets the run come to its end.
func (c *course) finish() {
	c.t.Helper()
	if out, err := c.command().CombinedOutput(); err != nil {
		c.t.Fatalf("%v\n%s", err, out)
	}
}

// interrupt sends a signal after a while, unless the process ends before, and returns the
// exit code, −1 for death by a signal, and how long it took from signal to end.
func (c *course) interrupt(signal os.Signal, after time.Duration) (code int, took time.Duration) {
	c.t.Helper()
	cmd := c.command()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	sent := make(chan time.Time, 1)
	timer := time.AfterFunc(after, func() { sent <- time.Now(); _ = cmd.Process.Signal(signal) })
	_ = cmd.Wait() // the code tells
	code = cmd.ProcessState.ExitCode()
	if timer.Stop() {
		return code, 0
	}
	if code != -1 && code != exitDone && code != exitStopped {
		c.t.Errorf("exit code %d after %v: %s", code, signal, stderr.String())
	}
	return code, time.Since(<-sent)
}

// digest is what must be equal at the end: the SHA-256 of the last checkpoint's tensors and
// of the sample grids, and the metrics without times.
func (c *course) digest() string {
	c.t.Helper()
	var b strings.Builder
	p := rundir.Path(c.out)
	for _, pattern := range []string{filepath.Join(p.Checkpoints(), "step-00000014", "*.safetensors"), filepath.Join(p.Samples(), "*")} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) < 3 {
			c.t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, f := range files {
			content, err := os.ReadFile(f)
			if err != nil {
				c.t.Fatal(err)
			}
			sum := sha256.Sum256(content)
			fmt.Fprintln(&b, filepath.Base(f), hex.EncodeToString(sum[:]))
		}
	}
	records, _, err := rundir.ReadMetrics(p.Metrics())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range records {
		for name := range r.Values {
			if strings.HasSuffix(name, "_seconds") {
				delete(r.Values, name)
			}
		}
		r.Time = time.Time{}
		line, err := r.MarshalJSON()
		if err != nil {
			c.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String()
}

// reference is the digest of the run that nothing interrupts, and how long it took.
func reference(t *testing.T, data string) (digest string, took time.Duration) {
	t.Helper()
	c := newCourse(t, data)
	begin := time.Now()
	c.finish()
	took = time.Since(begin)
	digest = c.digest()
	if !strings.Contains(digest, `"rollback"`) {
		t.Fatalf("the run has no rollback, which these tests want:\n%s", digest)
	}
	return digest, took
}

func (c *course) compare(want string) {
	c.t.Helper()
	if got := c.digest(); got != want {
		c.t.Errorf("the run ended differently. Uninterrupted:\n%s\ninterrupted:\n%s", want, got)
	}
}

func TestKilledRunsEndAsIfNeverStopped(t *testing.T) {
	n := trials(t, killsEnv, 20)
	data := writeCIFAR(t)
	want, took := reference(t, data)
	moment := philox.New(1, 0, philox.Test)
	killed := 0
	for i := range n {
		c := newCourse(t, data)
		if code, _ := c.interrupt(os.Kill, time.Duration(float64(moment.Uniform(uint64(i)))*float64(took))); code == -1 {
			killed++
		}
		c.finish()
		c.compare(want)
	}
	t.Logf("%d runs, %d killed in time", n, killed)
}

func TestSignalledRunsSaveAndEndAsIfNeverStopped(t *testing.T) {
	n := trials(t, signalsEnv, 10)
	data := writeCIFAR(t)
	want, took := reference(t, data)
	moment := philox.New(2, 0, philox.Test)
	var longest time.Duration
	stopped := 0
	for i := range n {
		c := newCourse(t, data)
		signal := stopSignals()[i%len(stopSignals())]
		code, took := c.interrupt(signal, time.Duration(float64(moment.Uniform(uint64(i)))*float64(took)))
		longest = max(longest, took)
		if code == exitStopped {
			stopped++
			if saved, _ := filepath.Glob(filepath.Join(c.out, "checkpoints", "step-*", "MANIFEST.json")); len(saved) == 0 {
				t.Errorf("stopped by %v without a checkpoint", signal)
			}
		}
		c.finish()
		c.compare(want)
	}
	t.Logf("%d runs, %d stopped in time, the slowest after %v", n, stopped, longest)
}
