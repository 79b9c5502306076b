package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
	"jem/serve/batch"
)

const pixels = 3 * 32 * 32

// official opens the network of predicttest on a device of its own.
func official(wrap func(backend.Device) backend.Device) func() (backend.Device, *batch.Model, error) {
	return func() (backend.Device, *batch.Model, error) {
		d, err := cpu.Open(cpu.Options{Threads: 1})
		if err != nil {
			return nil, nil, err
		}
		dev := backend.Device(d)
		if wrap != nil {
			dev = wrap(dev)
		}
		p, _, err := predict.OpenFile(dev, predicttest.OfficialFile(), weights.Options{})
		return dev, &batch.Model{Predictor: p, About: "first"}, err
	}
}

func start(t *testing.T, o batch.Options) *batch.Batcher {
	t.Helper()
	return started(t, official(nil), o)
}

func started(t *testing.T, open func() (backend.Device, *batch.Model, error), o batch.Options) *batch.Batcher {
	t.Helper()
	b, err := batch.Start(open, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(context.Background()) })
	return b
}

// image is one of noise, by its number.
func images(first, n int) []float32 {
	x := make([]float32, n*pixels)
	for i := range n {
		philox.New(1, 0, philox.Test).At(first+i, 0).FillUniform(x[i*pixels:(i+1)*pixels], -1, 1)
	}
	return x
}

// truth are the answers of Score to noise images 0 … n−1.
func truth(t *testing.T, n int) *predict.Scores {
	t.Helper()
	_, m, err := official(nil)()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Device().Close()
	given := 0
	s, err := m.Score(context.Background(), predict.Want{}, n, func(dst []float32) int {
		k := copy(dst, images(given, min(n-given, len(dst)/pixels))) / pixels
		given += k
		return k
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEveryoneGetsTheirOwn: requests of all sizes, some larger than a batch, some that ask for gradients, from
// many goroutines: each gets to the bit what Score says of its images.
func TestEveryoneGetsTheirOwn(t *testing.T) {
	const all = 60
	want := truth(t, all)
	b := start(t, batch.Options{Most: 16, Wait: time.Millisecond, Queue: 1000})
	var everyone sync.WaitGroup
	for i := range 24 {
		everyone.Go(func() {
			for turn := range 2 {
				first := (i*7 + turn*11) % all
				n := min(1+(i*i)%40, all-first)
				asked := predict.Asked{Mass: i%3 == 0, Gradient: i%5 == 0}
				got, err := b.Submit(context.Background(), images(first, n), asked)
				if err != nil {
					t.Error(err)
					return
				}
				for j, a := range got {
					at := fmt.Sprintf("request of %d, image %d", n, first+j)
					row := want.Logits[(first+j)*want.Classes : (first+j+1)*want.Classes]
					if !slices.Equal(a.Logits, row) || a.LogPx != want.LogPx[first+j] || a.Model.About != "first" {
						t.Errorf("%s: other bits", at)
					}
					if asked.Backward() && a.Mass != want.ApproxMass[first+j] {
						t.Errorf("%s: mass %g, want %g", at, a.Mass, want.ApproxMass[first+j])
					}
					if asked.Gradient != (len(a.Gradient) == pixels) {
						t.Errorf("%s: gradient of %d", at, len(a.Gradient))
					}
				}
			}
		})
	}
	everyone.Wait()
	if c := b.Count(); c.WaitingImages != 0 || c.WaitingRequests != 0 || c.Batches < 24 {
		t.Errorf("afterwards %+v", c)
	}
}

// TestClosedTakesNothing, and what waited has been answered.
func TestClosedTakesNothing(t *testing.T) {
	b := start(t, batch.Options{})
	if err := b.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Submit(context.Background(), images(0, 1), predict.Asked{}); !errors.Is(err, batch.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := b.Do(context.Background(), func(*batch.Model) error { return nil }); !errors.Is(err, batch.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := b.Err(); !errors.Is(err, batch.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// TestWhoIsAnsweredIsCounted by then, and Watch has been told, however slow it is.
func TestWhoIsAnsweredIsCounted(t *testing.T) {
	var told atomic.Int64
	b := start(t, batch.Options{Watch: func(s batch.Batch) {
		time.Sleep(5 * time.Millisecond)
		told.Add(int64(s.Images))
	}})
	for n := 1; n <= 3; n++ {
		if _, err := b.Submit(context.Background(), images(n, 2), predict.Asked{Mass: n == 2}); err != nil {
			t.Fatal(err)
		}
		if c := b.Count(); told.Load() != int64(2*n) || c.Batches != int64(n) || c.Images != int64(2*n) {
			t.Errorf("after answer %d: told of %d images, counted %+v", n, told.Load(), c)
		}
	}
}
