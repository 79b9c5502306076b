// Package predicttest opens networks for tests.
package predicttest

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/feed"
	"jem/predict"
	"jem/predict/weights"
)

// OfficialFile is a checkpoint that the official code saved: WRN-10-1 for ten classes.
func OfficialFile() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../internal/torchfile/testdata/official_wrn10_1_zip.pt")
}

// Official opens the network of OfficialFile on one thread.
func Official(t testing.TB) *predict.Predictor {
	t.Helper()
	// With direct convolutions a chain has the bits of its calls made one by one.
	dev, err := cpu.Open(cpu.Options{Threads: 1, ConvAlgo: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	p, _, err := predict.OpenFile(dev, OfficialFile(), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Spoil puts a NaN into the network.
func Spoil(p *predict.Predictor) {
	broken := make([]float32, 10)
	broken[0] = float32(math.NaN())
	for _, q := range p.Net().Params.List {
		if q.Name == "class_output.bias" {
			p.Device().Upload(q.Value, broken)
		}
	}
}

// Noise is n images of U[−1,1) noise for the network of OfficialFile, all of class 0.
type Noise int

const noisePixels = 3 * 32 * 32

// Len implements feed.Images.
func (n Noise) Len() int { return int(n) }

// Batches implements feed.Images.
func (n Noise) Batches() int { return (int(n) + feed.EvalBatch - 1) / feed.EvalBatch }

// Batch implements feed.Images.
func (n Noise) Batch(i int, images []float32, labels []int32) int {
	m := min(feed.EvalBatch, int(n)-i*feed.EvalBatch)
	clear(labels[:m])
	philox.New(1, 0, philox.Test).At(i, 0).FillUniform(images[:m*noisePixels], -1, 1)
	return m
}

// CIFAR makes a data set in CIFAR-10's files: 100 training and 20 test images, dark ones of
// class 0 to bright ones of class 9.
func CIFAR(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	folder := filepath.Join(dir, "cifar-10-batches-bin")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	key := philox.New(1, 0, philox.Test)
	for b, name := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
		var file []byte
		for i := range 20 {
			class := byte(i % 10)
			file = append(file, class)
			for j := range noisePixels {
				file = append(file, 20*class+byte(key.At(b, i).IntN(uint64(j), 40)))
			}
		}
		if err := os.WriteFile(filepath.Join(folder, name), file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// WithImages is Official with CIFAR's images, 20 of them held out.
func WithImages(t testing.TB) *predict.Predictor {
	p := Official(t)
	p.Config.Data.Dir, p.Config.Data.Valid = CIFAR(t), 20
	return p
}

// EndsAfter is a context that has ended when it is asked for the n+1-st time: in the middle of what
// looks at it now and then.
func EndsAfter(n int) context.Context { return &ending{context.Background(), n} }

type ending struct {
	context.Context
	left int
}

// Err implements context.Context.
func (e *ending) Err() error {
	if e.left--; e.left < 0 {
		return context.Canceled
	}
	return nil
}
