//go:build cuda && linux && amd64

package nccl

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"

	"jem/comm"
	"jem/comm/commtest"
	"jem/comm/launch"
)

// Tests start this program anew as each rank of a job; the variables say what the rank is to do.
const (
	sceneVariable    = "JEM_TEST_SCENE"
	patienceVariable = "JEM_TEST_PATIENCE"
)

func TestMain(m *testing.M) {
	if scene := os.Getenv(sceneVariable); scene != "" {
		os.Exit(play(scene)) // not reached by ranks that leave through their engine
	}
	os.Exit(m.Run())
}

// standin reports whether the driver is the stand-in.
func standin() bool {
	handle, err := purego.Dlopen("libcuda.so.1", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return false
	}
	_, err = purego.Dlsym(handle, "simPrimary")
	return err == nil
}

func onStandin(t *testing.T) {
	t.Helper()
	if !standin() {
		t.Skip("not on the stand-ins for driver and NCCL: scripts/cuda-sim-test.sh ranks")
	}
}

// play is the life of a rank. It returns an exit code where there is no engine to leave through.
func play(scene string) int {
	place, err := launch.Read(os.Getenv)
	if err != nil {
		fmt.Println(err)
		return 78
	}
	patience, err := time.ParseDuration(os.Getenv(patienceVariable))
	if err != nil {
		patience = time.Minute
	}
	c, _, err := Open(Options{Place: place, Patience: patience, Job: os.Getenv("JEM_JOB_ID"), Notes: func(text string) { fmt.Println("note:", text) }})
	var setup *comm.SetupError
	if err != nil {
		fmt.Println("open:", err)
		if errors.As(err, &setup) {
			return 78
		}
		return 69
	}
	c.At(3)
	if err := scenes[scene](c); err != nil {
		fmt.Printf("rank %d: %v\n", c.Rank(), err)
		var peer *comm.PeerError
		if errors.As(err, &peer) {
			c.Abort(69, "")
		}
		c.Abort(1, "")
	}
	if err := c.Close(); err != nil {
		fmt.Printf("rank %d: close: %v\n", c.Rank(), err)
		c.Abort(69, "")
	}
	fmt.Printf("rank %d of %d closed: %s\n", c.Rank(), c.Size(), c.Name())
	c.Exit(0)
	return 1
}

// scenes are what ranks do between opening and closing.
var scenes = map[string]func(c comm.Comm) error{
	"questions": func(c comm.Comm) error {
		for _, q := range commtest.Questions() {
			if err := q.Ask(c); err != nil {
				return fmt.Errorf("%s: %w", q.Name, err)
			}
		}
		return onCard(c)
	},
	"card": onCard,
	"step": func(c comm.Comm) error { // a bit of everything
		if err := onCard(c); err != nil {
			return err
		}
		if err := c.Broadcast(make([]byte, 10), 0).Wait(); err != nil {
			return err
		}
		if err := c.Sum(make([]float32, 10)).Wait(); err != nil {
			return err
		}
		return c.Gather(make([]float32, 10)).Wait()
	},
	"absent": func(c comm.Comm) error { // the last rank is stopped
		if _, err := c.Max(1); err != nil || c.Rank() != c.Size()-1 {
			return errors.Join(err, c.Sum(make([]float32, 100)).Wait())
		}
		return commtest.Halt(syscall.SIGSTOP)
	},
	"killed": func(c comm.Comm) error {
		if _, err := c.Max(1); err != nil || c.Rank() != c.Size()-1 {
			return errors.Join(err, c.Sum(make([]float32, 100)).Wait())
		}
		return commtest.Halt(syscall.SIGKILL)
	},
	"absence": func(c comm.Comm) error { // the last rank stays away till its own patience is over
		patience, err := time.ParseDuration(os.Getenv(patienceVariable))
		if err == nil {
			err = commtest.Absent(c, patience, 10*time.Second)
		}
		if err == nil && c.Rank() < c.Size()-1 {
			fmt.Printf("rank %d was told\n", c.Rank())
			c.Exit(0)
		}
		time.Sleep(2 * patience)
		return err
	},
}

// onCard sums buckets that lie on the cards, several under way at once, and compares them with what the host adds: small
// whole numbers, which any order adds to the same bits.
func onCard(c comm.Comm) error {
	const n, buckets = 3000, 4
	e, ok := c.(*engine)
	if !ok {
		return fmt.Errorf("%T adds nothing up on cards", c)
	}
	k := e.card
	var at uintptr
	if err := e.do(func() error { return k.call("cuMemAlloc_v2", pointer(&k.word), 4*n*buckets) }); err != nil {
		return err
	}
	at = uintptr(k.word)
	var under []comm.Pending
	for b := range buckets {
		own := make([]float32, n)
		for i := range own {
			own[i] = float32((c.Rank()+1)*(i%50+1) + b)
		}
		to := at + uintptr(4*n*b)
		if err := e.do(func() error { // the copy is late work of the stream, which the sum has to come after
			copy(unsafe.Slice((*float32)(unsafe.Add(k.in, 4*n*b)), n), own)
			return k.call("cuMemcpyHtoDAsync_v2", to, uintptr(k.in)+uintptr(4*n*b), 4*n, k.stream)
		}); err != nil {
			return err
		}
		under = append(under, c.(comm.CardSummer).SumOn(k.stream, to, n))
	}
	for _, u := range under {
		if err := u.Wait(); err != nil {
			return err
		}
	}
	got := make([]float32, n*buckets)
	err := e.start(&operation{name: "look",
		begin: func(piece int) (bool, error) { return piece == 0, nil },
		after: func(int) error { return k.fetch(at, 4*n*buckets) },
		end:   func(int) { copy(bytesOf(got), k.got(4*n*buckets)) }}).Wait()
	if err != nil {
		return err
	}
	for i, v := range got {
		ranks := c.Size() * (c.Size() + 1) / 2
		if want := float32(ranks*(i%n%50+1) + c.Size()*(i/n)); v != want {
			return fmt.Errorf("element %d summed on the card is %g, want %g", i, v, want)
		}
	}
	return e.do(func() error { return k.call("cuMemFree_v2", at) })
}

// job is the ranks of a test.
type job struct {
	t    *testing.T
	cmds []*exec.Cmd
	out  lines
	ends []chan error
}

// lines are what all ranks print.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// freePort is one at which nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// begin starts ranks; own are further variables of one of them. The test's end kills what is left.
func begin(t *testing.T, ranks int, scene string, own func(rank int) []string, env ...string) *job {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	j, port, tmp := &job{t: t}, freePort(t), t.TempDir()
	for r := range ranks {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), "RANK="+strconv.Itoa(r), "LOCAL_RANK="+strconv.Itoa(r), "WORLD_SIZE="+strconv.Itoa(ranks), "LOCAL_WORLD_SIZE="+strconv.Itoa(ranks),
			"MASTER_ADDR=127.0.0.1", "MASTER_PORT="+port, "CUDA_VISIBLE_DEVICES="+strconv.Itoa(r), "TMPDIR="+tmp, sceneVariable+"="+scene)
		cmd.Env = append(cmd.Env, env...)
		if own != nil {
			cmd.Env = append(cmd.Env, own(r)...)
		}
		cmd.Stdout, cmd.Stderr = &j.out, &j.out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := make(chan error, 1)
		go func() { end <- cmd.Wait() }()
		j.cmds, j.ends = append(j.cmds, cmd), append(j.ends, end)
	}
	t.Cleanup(func() {
		for _, cmd := range j.cmds {
			cmd.Process.Kill()
		}
	})
	return j
}

// end waits for the exit codes of all ranks.
func (j *job) end(within time.Duration) (codes []int) {
	j.t.Helper()
	late := time.After(within)
	for r, end := range j.ends {
		select {
		case <-end:
			codes = append(codes, j.cmds[r].ProcessState.ExitCode())
		case <-late:
			j.t.Fatalf("rank %d has not ended within %s:\n%s", r, within, j.out.String())
		}
	}
	return codes
}

// each complains unless every rank left with the code, and one or more said so.
func (j *job) each(within time.Duration, code int, says string) {
	j.t.Helper()
	for r, got := range j.end(within) {
		if got != code {
			j.t.Errorf("rank %d left with %d, want %d", r, got, code)
		}
	}
	if out := j.out.String(); !strings.Contains(out, says) || j.t.Failed() {
		j.t.Errorf("want %q in what was said:\n%s", says, out)
	}
}
