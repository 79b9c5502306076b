//go:build cuda && linux && amd64

package cuda_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/philox"
	"jem/cuda"
	"jem/cuda/sim/control"
	"jem/model"
	"jem/sampler"
)

// shortRun opens a device and does a bit of everything on it: a chain three times, so that it
// is planned, captured and replayed, parameter gradients, an update, copies both ways.
func shortRun(o cuda.Options) (err error) {
	d, err := cuda.Open(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	net, err := model.New(d, model.Config{Depth: 10, Width: 1, Classes: 4, InC: 1, Size: 8, Slope: 0.2}, 2, 1)
	if err != nil {
		return err
	}
	x, g := d.New(backend.Image, 2, 1, 8, 8), d.New(backend.Image, 2, 1, 8, 8)
	chain := sampler.SGLD{Steps: 1, StepSize: 1, Noise: 0.01}.Chain(d, model.NewJEM(d, net), x, g)
	for run := range 3 {
		chain.Run(philox.New(1, 0, philox.Test).At(run, 0))
	}
	net.Forward(x, model.Mode{})
	net.ParamGrad(d.New(backend.Dense, 2, 4), nil)
	p := net.Params
	d.AdamStep(p.Value, p.Grad, d.New(backend.Dense, p.Len()), d.New(backend.Dense, p.Len()), backend.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1, Step: 1})
	d.ParamsChanged()
	chain.Close()
	d.Free(x, g)
	if err := d.Download(make([]float32, p.Len()), p.Value); err != nil {
		return err
	}
	return d.Sync()
}

// finishes returns f's error and fails the test with all stacks if it takes longer than a minute.
func finishes(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s: hangs\n%s", what, stacks[:runtime.Stack(stacks, true)])
		return nil
	}
}

// mayPass reports whether a run may end well although the function failed: words and versions
// are only words, where the driver refuses one image of the kernels it is offered the next, and
// where cuDNN can't be asked for one plan another is taken.
func mayPass(function string, code int) bool {
	return function == "cuModuleLoadData" && code == 1 || strings.HasPrefix(function, "cuGetError") || function == "cuDriverGetVersion" || strings.HasPrefix(function, "cudnn") &&
		function != "cudnnCreate" && function != "cudnnSetStream" && function != "cudnnDestroy" && function != "cudnnBackendExecute" && !strings.HasPrefix(function, "cudnnConvolution")
}

// failuresEnv is at how many moments between the second and the last call TestEveryCallFails has each function fail.
const failuresEnv = "JEM_CUDA_FAILURES"

// Every function of driver and cuDNN that a short run calls fails once at the first call, the
// second, the last and some between, with each kind of error: a wrong value (1), no memory (2),
// and errors that leave a dead context (700: an illegal address, 719: a failed launch). Each time
// the run ends by itself, without a panic, with an error that names the verb, the function and
// the code's meaning; no memory is left on the card, and the next run isn't touched.
func TestEveryCallFails(t *testing.T) {
	onStandin(t)
	between := 10
	if n, err := strconv.Atoi(os.Getenv(failuresEnv)); err == nil {
		between = n
	} else if testing.Short() {
		between = 1
	}
	versions := versionsInUse(t)
	for _, o := range []cuda.Options{{ConvEngine: "graph"}, {ConvEngine: "legacy", Precision: "bf16", Shared: true}} {
		control.Reset()
		if err := shortRun(o); err != nil {
			t.Fatal(err)
		}
		calls := map[string]int{}
		for _, name := range imported(t) {
			if n := int(control.Count(name)); n > 0 {
				calls[name] = n
			}
		}
		if left := control.Count("live"); left != 0 || len(calls) < 20 {
			t.Fatalf("a run without an error calls %d functions and leaves %d allocations", len(calls), left)
		}
		delete(calls, "cuCtxDestroy_v2") // that context would be there for good
		delete(calls, "cuDevicePrimaryCtxRelease_v2")
		for _, name := range slices.Sorted(maps.Keys(calls)) {
			n := calls[name]
			for call := 1; call <= n; call = nextCall(call, n, between) {
				for _, code := range []int{1, 2, 700, 719} {
					failOnce(t, o, versions, name, call, code)
				}
			}
			if err := shortRun(o); err != nil {
				t.Fatalf("%s: %s fails no more, and the next run does: %v", o.ConvEngine, name, err)
			}
		}
	}
}

// nextCall goes 1, 2, some between, n, n+1.
func nextCall(call, n, between int) int {
	switch stride := max(1, n/(between+1)); {
	case call == 1:
		return 2
	case call+stride < n:
		return call + stride
	case call < n:
		return n
	}
	return n + 1
}

// versionsInUse is the device's own account of driver and cuDNN.
func versionsInUse(t *testing.T) string {
	t.Helper()
	d, err := cuda.Open(cuda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return d.Info().ISA
}

// saysMemory reports whether a function's code means that memory lacks: 2 of the driver, and
// until version 9 of cuDNN, whose codes have four digits since.
func saysMemory(function string, code int, versions string) bool {
	return code == 2 && (!strings.HasPrefix(function, "cudnn") || strings.Contains(versions, "cuDNN 8."))
}

func failOnce(t *testing.T, o cuda.Options, versions, name string, call, code int) {
	t.Helper()
	what := fmt.Sprintf("%s: call %d of %s fails with %d", o.ConvEngine, call, name, code)
	control.Fail(name, call, code)
	err := finishes(t, what, func() error { return shortRun(o) })
	control.Fail(name, 0, 0)
	if left := control.Count("live"); left != 0 {
		t.Fatalf("%s: %d allocations are left; the run ended with %v", what, left, err)
	}
	if err == nil {
		if !mayPass(name, code) {
			t.Errorf("%s: no error", what)
		}
		return
	}
	var trouble *cuda.Error
	if !errors.As(err, &trouble) || !strings.HasPrefix(err.Error(), "cuda: ") || trouble.Op == "" {
		t.Errorf("%s: the error is none of the device that names a verb: %v", what, err)
	}
	if memory := saysMemory(name, code, versions); !mayPass(name, code) && trouble != nil && trouble.Memory != memory {
		t.Errorf("%s: told as a lack of memory: %v, want %v: %v", what, trouble.Memory, memory, err)
	}
}
