package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/bench/kernels"
	"jem/predict/predicttest"
)

func TestBenchStepTellsMemoryAndAlgorithms(t *testing.T) {
	step := []string{"bench", "step", "--model", "wrn-10-1", "--batch", "2", "--sgld-steps", "1", "--steps", "1", "--threads", "1", "--conv-algo", "direct", "--json"}
	var r stepResult
	okJSON(t, &r, step...)
	if r.Precision != "fp32" || r.Peak <= 0 || r.Footprint == nil || len(r.Algorithms) == 0 {
		t.Fatalf("%+v", r)
	}
	for plan, algorithm := range r.Algorithms {
		if !strings.HasPrefix(algorithm, "direct-") {
			t.Errorf("%s by %s", plan, algorithm)
		}
	}
	var m memoryResult
	okJSON(t, &m, "bench", "memory", "--model", "wrn-10-1", "--batch", "2", "--threads", "1", "--conv-algo", "direct", "--json")
	if m.Footprint != *r.Footprint || m.Bytes != m.Footprint.Total() {
		t.Errorf("jem bench memory tells %+v, jem bench step %+v", m, *r.Footprint)
	}
	// Per-sample scalars and verbs' working memory aren't foretold.
	if rest := float64(r.Peak - m.Bytes); rest < 0 || rest > 0.02*float64(r.Peak) {
		t.Errorf("%d bytes in use, foretold %d", r.Peak, m.Bytes)
	}
}

// Activations and buffer grow with the square of the side; parameters don't.
func TestBenchMemoryGrowsWithTheImages(t *testing.T) {
	of := func(size string) (m memoryResult) {
		okJSON(t, &m, "bench", "memory", "--model", "wrn-10-1", "--batch", "8", "--channels", "1", "--classes", "3", "--conv-algo", "direct", "--threads", "1", "--size", size, "--json")
		return m
	}
	small, large := of("32"), of("64")
	if large.Size != 64 || large.Footprint.Parameters != small.Footprint.Parameters || large.Footprint.Buffer != 4*small.Footprint.Buffer {
		t.Errorf("got %+v and %+v", small, large)
	}
	if r := float64(large.Footprint.Activations) / float64(small.Footprint.Activations); r < 3 || r > 4 { // halos grow with the side alone
		t.Errorf("activations grow %.2f times", r)
	}
}

func TestBenchMemoryOfWhatNoMachineHas(t *testing.T) {
	var m memoryResult
	okJSON(t, &m, "bench", "memory", "--model", "wrn-1000-64", "--batch", "4096", "--json")
	if m.Bytes < 1<<40 {
		t.Errorf("%d bytes", m.Bytes)
	}
}

func TestBenchLayersShowsTheAlgorithm(t *testing.T) {
	for _, algo := range []string{"direct", "winograd"} {
		out := ok(t, "bench", "layers", "--model", "wrn-10-1", "--batch", "1", "--time", "1ms", "--threads", "1", "--conv-algo", algo)
		if got := strings.Contains(out, "winograd"); got != (algo == "winograd") {
			t.Errorf("--conv-algo %s shows\n%s", algo, out)
		}
	}
	if r := do(t, "bench", "layers", "--conv-algo", "fft"); r.code != exitConfig || !strings.Contains(r.stderr, `device.conv_algo: unknown name "fft": want auto, direct, winograd`) {
		t.Errorf("%d %s", r.code, r.stderr)
	}
}

func TestBenchGrowth(t *testing.T) {
	out := filepath.Join(t.TempDir(), "growth")
	var r growthResult
	okJSON(t, &r, "bench", "growth", "--batches", "4", "--batches", "1", "--chains", "1", "--chains", "2", "--batch", "1", "--sgld-steps", "1",
		"--steps", "1", "--threads", "1", "--conv-algo", "winograd", "--out", out, "--json")
	sizes := func(points []kernels.Point) (all []float64) {
		for _, p := range points {
			if p.Seconds <= 0 {
				t.Errorf("%+v", p)
			}
			all = append(all, p.Size)
		}
		return all
	}
	if b, k := sizes(r.ByBatch.Points), sizes(r.BySGLD.Points); len(b) != 2 || b[0] != 1 || b[1] != 4 || len(k) != 2 || k[1] != 2 || len(sizes(r.ByThreads)) < 1 {
		t.Errorf("%+v", r)
	}
	text, err := os.ReadFile(filepath.Join(out, "growth.md"))
	if err != nil || !strings.Contains(string(text), "| 4 | ") || !strings.Contains(string(text), "largest deviation") {
		t.Errorf("%v\n%s", err, text)
	}
	for _, name := range []string{"growth-batch.svg", "growth-sgld.svg"} {
		svg, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || !bytes.Contains(svg, []byte("seconds a step")) {
			t.Errorf("%s: %v", name, err)
		}
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	if r := do(t, "bench", "growth", "--batches", "8", "--batches", "8"); r.code != exitUsage || !strings.Contains(r.stderr, "--batches [8 8]: want two or more different numbers") {
		t.Errorf("%d %s", r.code, r.stderr)
	}
}

// What the command foretells is package scaling's; that it keeps to the batch and refuses nonsense is its own.
func TestBenchScaling(t *testing.T) {
	var r struct{ Rows []scalingRow }
	okJSON(t, &r, "bench", "scaling", "--model", "wrn-10-1", "--batch", "12", "--sgld-steps", "1", "--ranks", "1,2,5,4", "--json")
	var ranks, images []int
	for _, row := range r.Rows {
		ranks, images = append(ranks, row.Ranks), append(images, row.Images)
	}
	if !slices.Equal(ranks, []int{1, 2, 4}) || !slices.Equal(images, []int{12, 6, 3}) || r.Rows[0].Efficiency != 1 || r.Rows[2].Efficiency >= 1 {
		t.Errorf("%+v", r.Rows)
	}
	for _, flags := range [][]string{{"--ranks", "0"}, {"--ranks", "1,"}, {"--ranks", "5"}, {"--tflops", "0"}, {"--tflops", "NaN"}, {"--jitter", "-1"}} {
		if r := do(t, append([]string{"bench", "scaling", "--batch", "12", "--sgld-steps", "1", "--model", "wrn-10-1"}, flags...)...); r.code != exitUsage || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: code %d, %s", flags, r.code, r.stderr)
		}
	}
}

// TestBenchScore measures a file of weights in no time; figures are of this machine, so only their order is looked at.
func TestBenchScore(t *testing.T) {
	var r scoreBench
	okJSON(t, &r, "bench", "score", predicttest.OfficialFile(), "--sizes", "2", "--clients", "1", "--clients", "3", "--max-batch", "4", "--time", "1ms", "--rounds", "1", "--threads", "1", "--json")
	if len(r.Rates) != 6 || len(r.Loads) != 4 || r.Rates[2].Images != 4 || r.Rates[3].Backward != true {
		t.Fatalf("%+v", r)
	}
	for _, l := range r.Loads {
		if l.Where != "process" || l.Requests < l.Clients || l.P50 > l.P99 || l.OfDevice <= 0 || l.OfImage <= 0 {
			t.Errorf("%+v", l)
		}
	}
}
