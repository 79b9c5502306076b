//go:build cuda && linux && amd64

package cuda_test

import (
	"maps"
	"testing"

	"jem/backend"
	"jem/backend/philox"
	"jem/cuda"
	"jem/cuda/sim/control"
	"jem/kernels"
	"jem/model"
	"jem/sampler"
)

// onStandin skips a test that reads the stand-in's counters where there are none.
func onStandin(t *testing.T) {
	if !control.Present() {
		t.Skip("counts what the stand-in for the driver sees: this is a real one")
	}
}

// samplingSteps is the number of steps of sampling's chains.
const samplingSteps = 3

// sampling is a small WRN with a planned chain that has run often enough to be steady.
func sampling(t *testing.T, d backend.Device) backend.Chain {
	t.Helper()
	net, err := model.New(d, model.Config{Depth: 10, Width: 1, Classes: 10, InC: 3, Size: 8, Slope: 0.2}, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	x, g := d.New(backend.Image, 4, 3, 8, 8), d.New(backend.Image, 4, 3, 8, 8)
	c := sampler.SGLD{Steps: samplingSteps, StepSize: 1, Noise: 0.01}.Chain(d, model.NewJEM(d, net), x, g)
	t.Cleanup(c.Close)
	c.Run(philox.New(1, 0, philox.Test).At(1, 0))
	c.Run(philox.New(1, 0, philox.Test).At(2, 0))
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	return c
}

// A chain in its steady state allocates nothing, copies nothing to or from the host and waits
// for nothing, replayed or not; replayed it is two launches.
func TestSteadyChains(t *testing.T) {
	onStandin(t)
	for _, o := range []cuda.Options{{}, {NoGraph: true}, {ConvEngine: "legacy"}, {Memo: memo{}}, {Precision: "bf16"}, {Precision: "bf16", ConvEngine: "legacy", NoGraph: true}} {
		d := open(t, o)
		chain := sampling(t, d)
		control.Reset()
		chain.Run(philox.New(1, 0, philox.Test).At(3, 0))
		for _, what := range []string{"allocations", "pinned", "host_copies", "synchronisations", "cuMemFree_v2"} {
			if n := control.Count(what); n > 0 {
				t.Errorf("%+v: a chain makes %d %s", o, n, what)
			}
		}
		if o.NoGraph {
			continue
		}
		if graphs, kernels := control.Count("cuGraphLaunch"), control.Count("cuLaunchKernel"); graphs != 1 || kernels != 1 {
			t.Errorf("%+v: a chain launches %d graphs and %d kernels, want one each: the graph and its key", o, graphs, kernels)
		}
	}
}

// launched returns the kernels that a chain's step launches, by family, with how often.
func launched(t *testing.T, o cuda.Options) map[string]int {
	t.Helper()
	o.NoGraph = true
	d := open(t, o)
	chain := sampling(t, d)
	control.Reset()
	chain.Run(philox.New(1, 0, philox.Test).At(3, 0))
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, k := range kernels.All() {
		if n := int(control.Count("kernel:" + k.Name)); n > 0 {
			counts[k.Name] = n
		}
	}
	for name, n := range counts {
		if n%samplingSteps != 0 {
			t.Errorf("%s is launched %d times in %d steps", name, n, samplingSteps)
		}
		counts[name] = n / samplingSteps
	}
	return counts
}

// With the graph engine no kernel of ours comes between two convolutions: what is left of a
// step is the head and the Langevin step. In bfloat16 the stem, whose picture has 3 channels,
// computes in float32: its outputs are narrowed, the activation for both passes, and its
// gradient is widened.
func TestOwnKernelsOfAStep(t *testing.T) {
	onStandin(t)
	head := map[string]int{"linear": 1, "linear_input_grad": 1, "logit_grad": 1, "sgld_f32": 1}
	for precision, want := range map[string]map[string]int{
		"fp32": {"avg_pool_f32": 1, "avg_pool_grad_f32": 1},
		"tf32": {"avg_pool_f32": 1, "avg_pool_grad_f32": 1},
		"bf16": {"avg_pool_bf16": 1, "avg_pool_grad_bf16": 1, "f32_to_bf16": 3, "bf16_to_f32": 1},
	} {
		maps.Copy(want, head)
		if got := launched(t, cuda.Options{ConvEngine: "graph", Precision: precision}); !maps.Equal(got, want) {
			t.Errorf("%s: a step launches %v, want %v", precision, got, want)
		}
	}
}

// An update of all parameters is one launch.
func TestAdamIsOneLaunch(t *testing.T) {
	onStandin(t)
	d := open(t, cuda.Options{})
	p, g, m, v := d.New(backend.Dense, 70001), d.New(backend.Dense, 70001), d.New(backend.Dense, 70001), d.New(backend.Dense, 70001)
	control.Reset()
	d.AdamStep(p, g, m, v, backend.Adam{LR: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1, Step: 1})
	if n := control.Count("cuLaunchKernel"); n != 1 {
		t.Errorf("%d launches", n)
	}
}
