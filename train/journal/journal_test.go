package journal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"jem/backend/cpu"
	"jem/comm"
	"jem/config"
	faults "jem/config/settings"
	"jem/feed"
	"jem/internal/checkpoint"
	"jem/internal/rundir"
	"jem/sampler"
	"jem/train"
	"jem/train/journal"
)

const (
	pixels = 8 * 8
	batch  = 4
	steps  = 6
)

// flat images: class y has grey value y/2.
type flat struct{}

func (flat) Batch(step int) ([]float32, []int32, error) {
	images, labels := make([]float32, batch*pixels), make([]int32, batch)
	for i := range images {
		labels[i/pixels] = int32((step + i/pixels) % 2)
		images[i] = float32(labels[i/pixels]) / 2
	}
	return images, labels, nil
}
func (flat) StepsPerEpoch() int { return 3 }

// set evaluates on the first batch of flat.
type set struct{}

func (set) Len() int     { return batch }
func (set) Batches() int { return 1 }
func (set) Batch(_ int, images []float32, labels []int32) int {
	x, y, _ := flat{}.Batch(0)
	copy(images, x)
	return copy(labels, y)
}

func settings() config.Config {
	c := config.Default()
	c.Data.Name, c.Data.Valid = "mnist", 0
	c.Model.Depth, c.Model.Width = 10, 1
	c.Sampler.Steps, c.Sampler.Buffer = 2, 20
	c.Optim.Warmup, c.Optim.EMA = 0, 0.9
	c.Train.Batch, c.Train.Steps, c.Train.LogEvery = batch, steps, 2
	c.Train.EvalEvery, c.Train.SampleEvery, c.Train.SaveEvery = 3, 3, 3
	return c
}

func trainer(t *testing.T, c config.Config) *train.Trainer {
	t.Helper()
	d, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	tr, err := train.New(d, c, feed.Sources{
		PX: flat{}, Labeled: flat{}, Test: set{}, Start: sampler.Uniform{},
		Classes: []string{"dark", "light"}, Channels: 1, Size: 8,
	}, comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// run trains in a fresh run folder.
func run(t *testing.T) (rundir.Path, *train.Trainer) {
	t.Helper()
	c := settings()
	tr := trainer(t, c)
	path := filepath.Join(t.TempDir(), "run")
	j, err := journal.Create(journal.Options{Path: path, Config: c, Facts: feed.Facts{Classes: []string{"dark", "light"}}, Device: "test", StepsPerEpoch: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Run(context.Background(), j, j); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return rundir.Path(path), tr
}

func TestARunLeavesItsFolder(t *testing.T) {
	p, _ := run(t)
	records, _, err := rundir.ReadMetrics(p.Metrics())
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string][]int{}
	for _, r := range records {
		kinds[r.Kind] = append(kinds[r.Kind], r.Step)
	}
	if !slices.Equal(kinds["train"], []int{1, 2, 4, 6}) || !slices.Equal(kinds["eval-test"], []int{3, 6}) {
		t.Errorf("records at %v; want training at 1, 2, 4, 6 and test at each epoch's end", kinds)
	}
	for _, file := range []string{p.Config(), p.Env(), p.Sample(0), p.Sample(3), p.Sample(6), journal.Comparison(p)} {
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	if events, _ := filepath.Glob(filepath.Join(string(p), "events.out.tfevents.*")); len(events) != 1 {
		t.Errorf("event files: %v", events)
	}
	html, err := os.ReadFile(p.Report())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"test accuracy", "Initial draws", "Samples at step 6", "data:image/png;base64,", "<svg"} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// A checkpoint holds all there is: restored into a fresh trainer and saved again it has the
// same tensors, byte for byte.
func TestACheckpointRestoresTheWholeState(t *testing.T) {
	p, _ := run(t)
	saved, damaged, err := checkpoint.Latest(p.Checkpoints())
	if err != nil || len(damaged) > 0 {
		t.Fatal(err, damaged)
	}
	fresh := trainer(t, settings())
	if err := fresh.Restore(saved); err != nil {
		t.Fatal(err)
	}
	store, err := checkpoint.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	state, err := fresh.Snapshot(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := state.Write(store)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"model", "ema", "optim", "buffer.rank000"} {
		a, errA := os.ReadFile(filepath.Join(saved.Path, file+".safetensors"))
		b, errB := os.ReadFile(filepath.Join(again, file+".safetensors"))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs after a restore (%v, %v)", file, errA, errB)
		}
	}
}

func TestRestoreNamesWhatDoesNotFit(t *testing.T) {
	p, _ := run(t)
	saved, _, err := checkpoint.Latest(p.Checkpoints())
	if err != nil {
		t.Fatal(err)
	}
	c := settings()
	c.Model.Width = 2
	var refused *faults.Error
	if err := trainer(t, c).Restore(saved); !errors.As(err, &refused) || len(refused.Faults) != 1 || refused.Faults[0].Path != "model.width" {
		t.Errorf("a checkpoint of another width gives %v", err)
	}
}

func TestASecondRunInTheFolderIsRefused(t *testing.T) {
	p, _ := run(t)
	_, err := journal.Create(journal.Options{Path: string(p), Config: settings(), Facts: feed.Facts{Classes: []string{"a", "b"}}})
	if err == nil {
		t.Error("no error")
	}
}

// A run's name may hold what is a pattern to others.
func TestReportsOfRunsWithBrackets(t *testing.T) {
	p, _ := run(t)
	want, err := os.ReadFile(p.Report())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lr[0.1]", "a[b", `c*?`} {
		moved := rundir.Path(filepath.Join(filepath.Dir(string(p)), name))
		if err := os.Rename(string(p), string(moved)); err != nil {
			t.Fatal(err)
		}
		p = moved
		if _, err := journal.Report(p); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(p.Report())
		if err != nil || bytes.Count(got, []byte("data:image/png;base64,")) != bytes.Count(want, []byte("data:image/png;base64,")) {
			t.Errorf("%s: another number of pictures (%v)", name, err)
		}
	}
}
