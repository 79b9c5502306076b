package sampler_test

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/backend/trace"
	"jem/sampler"
)

func open(t testing.TB) backend.Device {
	t.Helper()
	d, err := cpu.Open(cpu.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func download(t testing.TB, d backend.Device, x backend.Tensor) []float32 {
	t.Helper()
	out := make([]float32, backend.Len(x))
	if err := d.Download(out, x); err != nil {
		t.Fatal(err)
	}
	return out
}

// gaussian is N(mean, 1/precision) for every pixel.
type gaussian struct {
	d               backend.Device
	mean, precision float32
}

func (t gaussian) LogDensityGrad(g, x backend.Tensor) {
	t.d.Fill(g, t.mean*t.precision)
	t.d.Axpy(g, -t.precision, x)
}

var key = philox.New(1, 0, philox.Test)

func TestWithoutStepAndNoiseNothingMoves(t *testing.T) {
	d := open(t)
	x, g := d.New(backend.Image, 3, 3, 8, 8), d.New(backend.Image, 3, 3, 8, 8)
	d.Normal(x, key, 0, 1)
	before := download(t, d, x)
	sampler.SGLD{Steps: 5}.Chain(d, gaussian{d, 1, 1}, x, g).Run(key)
	if !slices.Equal(before, download(t, d, x)) {
		t.Error("the chains moved")
	}
}

// One step of α = 1, σ = 0.01 where the gradient of log p(x) is 1, seen in others as well: mean 1
// and deviation 0.01 in ebmkit 0.16.0 with (step_size, noise_scale) = (1, 0.01), and in torchebm 0.8.9
// with (1, 0.01/√2), where (1, 0.01) has a deviation of 0.01414. With n pixels the standard error
// of the mean is σ/√n, that of the deviation σ/√(2n); five of them are allowed.
func TestNoiseIsNotScaledByTheStep(t *testing.T) {
	d := open(t)
	const n, sigma = 64 * 3 * 16 * 16, 0.01
	x, g := d.New(backend.Image, 64, 3, 16, 16), d.New(backend.Image, 64, 3, 16, 16)
	sampler.SGLD{Steps: 1, StepSize: 1, Noise: sigma}.Chain(d, gaussian{d, 1, 1}, x, g).Run(key)
	var mean, square float64
	for _, v := range download(t, d, x) {
		mean += float64(v) / n
		square += (float64(v) - 1) * (float64(v) - 1) / n
	}
	if deviation := math.Sqrt(square); math.Abs(mean-1) > 5*sigma/math.Sqrt(n) || math.Abs(deviation-sigma) > 5*sigma/math.Sqrt(2*n) {
		t.Errorf("mean %g, deviation %g", mean, deviation)
	}
}

func TestSameKeySameBytes(t *testing.T) {
	d := open(t)
	run := func(k philox.Key) []float32 {
		x, g := d.New(backend.Image, 3, 1, 8, 8), d.New(backend.Image, 3, 1, 8, 8)
		sampler.SGLD{Steps: 4, StepSize: 0.1, Noise: 0.3}.Chain(d, gaussian{d, 1, 1}, x, g).Run(k)
		return download(t, d, x)
	}
	if !slices.Equal(run(key), run(key)) {
		t.Error("one key, two results")
	}
	if slices.Equal(run(key), run(key.At(1, 0))) {
		t.Error("two keys, one result")
	}
}

// Of x ← x + α·p·(μ−x) + σ·ε the stationary law is N(μ, σ²/(1−(1−αp)²)). With n independent
// pixels the standard error of the mean is s/√n and that of the variance s²·√(2/n); five of
// them are allowed. 400 steps leave (1−αp)^400 < 1e-17 of the start.
func TestGaussianTargetGivesBackItsMoments(t *testing.T) {
	d := open(t)
	const n, alpha, sigma, mu, p = 64 * 3 * 16 * 16, 0.1, 0.3, 0.7, 1.0
	x, g := d.New(backend.Image, 64, 3, 16, 16), d.New(backend.Image, 64, 3, 16, 16)
	sampler.SGLD{Steps: 400, StepSize: alpha, Noise: sigma}.Chain(d, gaussian{d, mu, p}, x, g).Run(key)
	var mean, square float64
	for _, v := range download(t, d, x) {
		mean += float64(v) / n
		square += float64(v) * float64(v) / n
	}
	variance := square - mean*mean
	want := sigma * sigma / (1 - (1-alpha*p)*(1-alpha*p))
	if math.Abs(mean-mu) > 5*math.Sqrt(want/n) || math.Abs(variance-want) > 5*want*math.Sqrt(2.0/n) {
		t.Errorf("mean %.5f, variance %.5f; want %.5f, %.5f", mean, variance, mu, want)
	}
}

func TestClipAndClamp(t *testing.T) {
	d := open(t)
	x, g := d.New(backend.Image, 1, 1, 8, 8), d.New(backend.Image, 1, 1, 8, 8)
	far := gaussian{d, 1000, 1}
	sampler.SGLD{Steps: 1, StepSize: 1, GradClip: 0.25}.Chain(d, far, x, g).Run(key)
	if v := download(t, d, x)[0]; v != 0.25 {
		t.Errorf("a gradient of 1000 clipped to 0.25 moved a pixel by %v", v)
	}
	sampler.SGLD{Steps: 3, StepSize: 1, Clamp: true}.Chain(d, far, x, g).Run(key)
	if v := download(t, d, x)[0]; v != 1 {
		t.Errorf("a clamped pixel is at %v", v)
	}
}

func TestDecays(t *testing.T) {
	s := sampler.SGLD{StepSize: 1, Noise: 0.5, StepDecay: 0.5, NoiseDecay: 0.25}
	if p := s.At(2); p.StepSize != 0.25 || p.Noise != 0.5/16 {
		t.Errorf("step 2 has α %v, σ %v", p.StepSize, p.Noise)
	}
	if p := (sampler.SGLD{StepSize: 1, Noise: 0.5}).At(7); p.StepSize != 1 || p.Noise != 0.5 {
		t.Errorf("without decay step 7 has α %v, σ %v", p.StepSize, p.Noise)
	}
}

// marked starts every image with its class, and restarts with the class + 100.
type marked struct{ fills int }

func (m *marked) Fill(dst []float32, classes []int32, _ philox.Key) {
	pixels := len(dst) / len(classes)
	for i := range dst {
		dst[i] = float32(classes[i/pixels])
		if m.fills > 0 {
			dst[i] += 100
		}
	}
}

const size, classes, batch, pixels = 40, 4, 8, 2 * 8 * 8

func buffer(t *testing.T, d backend.Device, reinit float32) (*sampler.ReplayBuffer, *marked) {
	t.Helper()
	m := &marked{}
	b, err := sampler.NewReplayBuffer(d, sampler.BufferConfig{Size: size, Classes: classes, Reinit: reinit, Seed: 1}, pixels, batch, m)
	if err != nil {
		t.Fatal(err)
	}
	m.fills++
	return b, m
}

func TestDrawsKeepToTheClassesSlots(t *testing.T) {
	d := open(t)
	b, _ := buffer(t, d, 0)
	x := d.New(backend.Image, batch, 2, 8, 8)
	labels := []int32{0, 1, 2, 3, 3, 2, 1, 0}
	for step := range 20 {
		b.Draw(x, 0, labels, step, 0)
		v := download(t, d, x)
		for i, y := range labels {
			if v[i*pixels] != float32(y) {
				t.Fatalf("step %d: the chain for class %d came from class %v's slots", step, y, v[i*pixels])
			}
		}
	}
}

// Over many draws every slot comes up, slots repeat within a draw (with replacement: 8 of 40
// collide in 52 % of draws), and restarts happen at the rate ρ.
func TestDrawsAreUniformWithReplacementAndRestart(t *testing.T) {
	d := open(t)
	b, _ := buffer(t, d, 0.25)
	x := d.New(backend.Image, batch, 2, 8, 8)
	number := make([]float32, size*pixels)
	for i := range number {
		number[i] = float32(i / pixels)
	}
	d.Upload(b.Images, number)
	const draws = 500
	seen, restarts, repeats := map[float32]int{}, 0, 0
	for step := range draws {
		b.Draw(x, 0, nil, step, 0)
		v, within := download(t, d, x), map[float32]bool{}
		for i := range batch {
			slot := v[i*pixels]
			if slot >= 100 {
				restarts++
				continue
			}
			if within[slot] {
				repeats++
			}
			within[slot] = true
			seen[slot]++
		}
	}
	if len(seen) != size || repeats == 0 {
		t.Errorf("%d of %d slots drawn, %d repeats within a draw", len(seen), size, repeats)
	}
	const n, rho = draws * batch, 0.25
	if got := float64(restarts) / n; math.Abs(got-rho) > 5*math.Sqrt(rho*(1-rho)/n) { // five standard errors
		t.Errorf("share of restarts %.4f, want %.2f", got, rho)
	}
}

func TestChainsGoBackToTheirSlots(t *testing.T) {
	d := open(t)
	b, _ := buffer(t, d, 0.5)
	x := d.New(backend.Image, batch, 2, 8, 8)
	b.Draw(x, 0, []int32{2, 2, 2, 2, 2, 2, 2, 2}, 3, 0)
	d.Fill(x, 7)
	b.Put(x)
	changed := 0
	for i, v := range download(t, d, b.Images) {
		slot := i / pixels
		switch {
		case v == 7 && slot/(size/classes) != 2:
			t.Fatalf("slot %d of another class was overwritten", slot)
		case v == 7:
			changed++
		case v != float32(slot/(size/classes)):
			t.Fatalf("slot %d holds %v", slot, v)
		}
	}
	if changed == 0 || changed%pixels != 0 {
		t.Errorf("%d pixels changed, want whole images (restarted chains too)", changed)
	}
}

func TestABufferTooSmallForItsClassesIsRefused(t *testing.T) {
	if _, err := sampler.NewReplayBuffer(open(t), sampler.BufferConfig{Size: 3, Classes: 10}, 4, 1, sampler.Uniform{}); err == nil {
		t.Error("no error")
	}
}

// A chain whose constants decay ends where one planned chain does, whatever pieces it is moved
// in, and steps of constant length are planned once wherever they begin.
func TestChainsMoveInPieces(t *testing.T) {
	d := open(t)
	image := func() backend.Tensor { return d.New(backend.Image, 4, 3, 8, 8) }
	target := gaussian{d, 1, 1}
	for decay, plans := range map[float32]int{0: 2, 0.9: 3} {
		s := sampler.SGLD{Steps: 7, StepSize: 0.1, Noise: 0.1, StepDecay: decay, NoiseDecay: decay}
		x, y, g := image(), image(), image()
		d.Normal(x, key, 0, 1)
		d.Copy(y, x)
		asked := 0
		chains := sampler.NewChains(d, s, x, g, func(int) sampler.Target { asked++; return target })
		chains.Move(4, 0, 3, key)
		chains.Move(4, 3, 3, key)
		chains.Move(4, 6, 1, key)
		s.Chain(d, target, y, g).Run(key)
		if !slices.Equal(download(t, d, x), download(t, d, y)) {
			t.Errorf("decay %g: other images in pieces", decay)
		}
		if asked != plans {
			t.Errorf("decay %g: planned %d times, want %d", decay, asked, plans)
		}
		chains.Close()
	}
}

// Chains that are moved in pieces, of other numbers of images and steps in between, are those
// of one planned chain.
func TestChainsMoveAsPlanned(t *testing.T) {
	d := open(t)
	image := func() backend.Tensor { return d.New(backend.Image, 4, 3, 8, 8) }
	s := sampler.SGLD{StepSize: 0.1, Noise: 0.1}
	target := gaussian{d, 1, 1}
	x, y, g := image(), image(), image()
	d.Normal(x, key, 0, 1)
	d.Copy(y, x)
	asked := 0
	chains := sampler.NewChains(d, s, x, g, func(int) sampler.Target { asked++; return target })
	for _, steps := range []int{3, 0, 2, 3} {
		chains.Move(4, 0, steps, key)
	}
	chains.Move(2, 0, 3, key)
	for _, n := range []int{3, 2, 3} {
		whole := s
		whole.Steps = n
		whole.Chain(d, target, y, g).Run(key)
	}
	s.Steps = 3
	s.Chain(d, target, d.Rows(y, 0, 2), d.Rows(g, 0, 2)).Run(key)
	if !slices.Equal(download(t, d, x), download(t, d, y)) {
		t.Error("other images")
	}
	if asked != 3 {
		t.Errorf("planned %d times, want once for each of three kinds of move", asked)
	}
	chains.Close()
}

// A chain of a thousand million steps is planned in no more room than one of a few.
func TestALongChainIsPlannedAtOnce(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sampler.SGLD{Steps: 1_000_000_000, StepSize: 1, StepDecay: 0.999}.Chain(trace.New(), nil, nil, nil)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
		t.Errorf("%d bytes", taken)
	}
}

// Ranks that draw their rows of a batch draw together what one draws, and put back what one would.
func TestRowsOfADrawAreThoseOfTheWhole(t *testing.T) {
	d := open(t)
	b, err := sampler.NewReplayBuffer(d, sampler.BufferConfig{Size: size, Classes: classes, Reinit: 0.5, Seed: 1}, pixels, batch, sampler.Uniform{})
	if err != nil {
		t.Fatal(err)
	}
	x := d.New(backend.Image, batch, 2, 8, 8)
	for step := range 10 {
		b.Draw(x, 0, nil, step, 0)
		want := download(t, d, x)
		for _, n := range []int{1, 2, 4} {
			part := d.New(backend.Image, n, 2, 8, 8)
			for lo := 0; lo < batch; lo += n {
				b.Draw(part, lo, nil, step, 0)
				if !slices.Equal(download(t, d, part), want[lo*pixels:(lo+n)*pixels]) {
					t.Fatalf("step %d: chains %d to %d are others", step, lo, lo+n-1)
				}
			}
		}
		d.Upload(x, want)
		b.Put(x)
		first := download(t, d, b.Images)
		gathered := d.New(backend.Dense, batch, pixels)
		d.Upload(gathered, want)
		b.Put(gathered)
		if !slices.Equal(download(t, d, b.Images), first) {
			t.Fatalf("step %d: gathered chains go elsewhere", step)
		}
	}
}
