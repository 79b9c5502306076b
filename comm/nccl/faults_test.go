//go:build cuda && linux && amd64

package nccl

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"jem/comm"
)

const (
	brief = "3s"
	slack = 40 * time.Second // beyond that, on a busy machine
)

// of gives variables to one rank alone.
func of(rank int, env ...string) func(int) []string {
	return func(r int) []string {
		if r == rank {
			return env
		}
		return nil
	}
}

// TestEveryCallFails: each function of NCCL that ranks call fails on one of them, with each code; that one says so and
// leaves with 69, and so does the other, which misses it.
func TestEveryCallFails(t *testing.T) {
	onStandin(t)
	calls := map[string]int{"ncclCommInitRankConfig": 1, "ncclAllReduce": 2, "ncclAllGather": 2, "ncclBroadcast": 1, "cuEventQuery": 3, "cuStreamWaitEvent": 1, "cuMemAlloc_v2": 2, "cuDevicePrimaryCtxRetain": 1}
	code := 0
	for name, call := range calls {
		code = code%9 + 1
		if code == resultInProgress {
			code++
		}
		t.Run(fmt.Sprintf("%s %d", name, code), func(t *testing.T) {
			t.Parallel()
			j := begin(t, 2, "step", of(1, fmt.Sprintf("JEM_SIM_FAIL=%s:%d=%d", name, call, code)), patienceVariable+"="+brief)
			j.each(slack, 69, fmt.Sprintf("%s fails with %d, as ordered", name, code))
			if out := j.out.String(); !strings.Contains(out, name+": ") || !strings.Contains(out, "start the same command again") {
				t.Errorf("said:\n%s", out)
			}
		})
	}
}

// TestEndFails: with all work done, what fails at the end is told and changes nothing.
func TestEndFails(t *testing.T) {
	onStandin(t)
	for _, name := range []string{"ncclCommFinalize", "ncclCommDestroy", "cuMemFreeHost"} {
		begin(t, 2, "step", of(1, "JEM_SIM_FAIL="+name+":1=2"), patienceVariable+"="+brief).each(slack, 0, "note: rank 1 could not end NCCL as it should")
	}
}

// TestAsynchronousErrors: what the library meets in the background, also with codes that are none yet.
func TestAsynchronousErrors(t *testing.T) {
	onStandin(t)
	for code, says := range map[int]string{6: "a remote process ended or the network failed (6)", 8: "timed out (8)", 23: "unknown result (23)"} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			begin(t, 2, "step", nil, patienceVariable+"="+brief, fmt.Sprintf("JEM_SIM_NCCL=async=3:%d", code)).each(slack, 69, says)
		})
	}
}

// TestHang: a collective that never ends, on one rank, ends both after their patience.
func TestHang(t *testing.T) {
	onStandin(t)
	begin(t, 2, "step", of(1, "JEM_SIM_NCCL=hang=2"), patienceVariable+"="+brief).each(slack, 69, "(sum on the card): others did not come")
}

// TestAbsent: ranks that are stopped or killed end the others.
func TestAbsent(t *testing.T) {
	onStandin(t)
	for _, scene := range []string{"absent", "killed"} {
		t.Run(scene, func(t *testing.T) {
			j := begin(t, 3, scene, nil, patienceVariable+"="+brief)
			for r := range 2 {
				select {
				case <-j.ends[r]:
				case <-time.After(slack):
					t.Fatalf("rank %d waits on:\n%s", r, j.out.String())
				}
				if code := j.cmds[r].ProcessState.ExitCode(); code != 69 {
					t.Errorf("rank %d left with %d", r, code)
				}
			}
			if out := j.out.String(); strings.Count(out, "(sum): others did not come; start the same command again") != 2 {
				t.Errorf("said:\n%s", out)
			}
		})
	}
}

// TestAbsentQuestion is commtest's own: what the others say then, and that no more is begun.
func TestAbsentQuestion(t *testing.T) {
	onStandin(t)
	j := begin(t, 3, "absence", nil, patienceVariable+"="+brief)
	if codes := j.end(slack); codes[0] != 0 || codes[1] != 0 || strings.Count(j.out.String(), "was told") != 2 {
		t.Errorf("codes %v:\n%s", codes, j.out.String())
	}
}

// TestNobodyComes: a job that misses a rank from the start says which.
func TestNobodyComes(t *testing.T) {
	onStandin(t)
	j := begin(t, 2, "step", of(1, "WORLD_SIZE=1", "RANK=0", "LOCAL_WORLD_SIZE=1", "LOCAL_RANK=0"), patienceVariable+"="+brief)
	if codes := j.end(slack); codes[0] != 69 || !strings.Contains(j.out.String(), "nothing was heard from 1") {
		t.Errorf("codes %v:\n%s", codes, j.out.String())
	}
}

// TestWrongSetups: each is told with its remedy, and 78.
func TestWrongSetups(t *testing.T) {
	onStandin(t)
	for name, c := range map[string]struct {
		env  []string
		says string
	}{
		"no library":  {[]string{LibraryVariable + "=/no/libnccl.so.2"}, "/no/libnccl.so.2: cannot open shared object file"},
		"not NCCL":    {[]string{LibraryVariable + "=libm.so.6"}, "libm.so.6 is no NCCL library of version 2.14 or later"},
		"old":         {[]string{"JEM_SIM_NCCL_VERSION=21304"}, "is NCCL 2.13.4: 2.14 is the oldest"},
		"no address":  {[]string{"MASTER_ADDR="}, "does not say where rank 0 is: set MASTER_ADDR and MASTER_PORT"},
		"many digits": {[]string{"MASTER_PORT=100000"}, "MASTER_PORT=100000 is not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin(t, 2, "step", nil, append(c.env, patienceVariable+"="+brief)...).each(slack, 78, c.says)
		})
	}
}

// TestPortInUse: the first rank names the port and the way out.
func TestPortInUse(t *testing.T) {
	onStandin(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	j := begin(t, 2, "step", nil, "MASTER_PORT="+port, patienceVariable+"="+brief)
	if codes := j.end(slack); codes[0] != 78 || codes[1] != 69 || !strings.Contains(j.out.String(), "JEM_MASTER_PORT") {
		t.Errorf("codes %v:\n%s", codes, j.out.String())
	}
}

// TestRealLibrary asks the library itself, where it is, without a card: what it says of that is told.
func TestRealLibrary(t *testing.T) {
	path := os.Getenv("JEM_TEST_NCCL")
	if path == "" {
		t.Skip("JEM_TEST_NCCL names no libnccl.so.2")
	}
	t.Setenv(LibraryVariable, path)
	l, err := open()
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{lib: l, size: 1, host: "here"}
	what := new(id)
	if err := l.call(0, "ncclGetUniqueId", pointer(&what[0])); err != nil || *what == (id{}) {
		t.Errorf("an id: %v", err)
	}
	if standin() {
		t.Skip("a stand-in for the driver, which the real library does not know")
	}
	err = l.result(0, "ncclCommInitRankConfig", l.init(&e.comm, 1, struct{ id id }{*what}, 0, polled()))
	if err == nil {
		_, err = e.await(e.settled)
	}
	if err == nil {
		t.Skip("there is a card here")
	}
	fault := error(e.fault("start", 0, err))
	if peer := (*comm.PeerError)(nil); !errors.As(fault, &peer) || !strings.Contains(fault.Error(), "NCCL: ncclCommInitRankConfig: ") {
		t.Errorf("without a card: %v", fault)
	}
	t.Logf("NCCL %s: %v", l.words(), fault)
}
