package data

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"jem/backend/philox"
)

// options is a stream with everything on.
func options(batch int) LoaderOptions {
	return LoaderOptions{
		Batch: batch, Augment: Augment{Crop: 2, Flip: true, Noise: 0.03},
		Order: philox.New(1, 0, philox.OrderPX), Noise: philox.New(1, 0, philox.AugmentPX),
	}
}

func newTestLoader(t testing.TB, s *Set, indices []int, o LoaderOptions) *Loader {
	t.Helper()
	l, err := NewLoader(s, indices, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// load returns a copy of a step's batch.
func load(l *Loader, step int) ([]float32, []int32) {
	b := l.NewBatch()
	l.Batch(step, b.Pixels, b.Labels)
	return b.Pixels, b.Labels
}

func TestBatchesArePureFunctionsOfTheStep(t *testing.T) {
	s := synthetic(50, 1, 8, 5)
	forward, backward := newTestLoader(t, s, nil, options(8)), newTestLoader(t, s, nil, options(8))
	var want [][]float32
	for step := range 20 {
		x, _ := load(forward, step)
		want = append(want, x)
	}
	for step := 19; step >= 0; step-- {
		if x, _ := load(backward, step); !slices.Equal(x, want[step]) {
			t.Errorf("step %d differs when the steps are taken backwards", step)
		}
	}
	if slices.Equal(want[0], want[1]) || slices.Equal(want[0], want[6]) {
		t.Error("different steps have the same batch")
	}
}

// visited lists the images of some steps, told from each other by their index's label.
func visited(l *Loader, steps ...int) []int {
	var seen []int
	for _, step := range steps {
		_, labels := load(l, step)
		for _, y := range labels {
			seen = append(seen, int(y))
		}
	}
	return seen
}

func TestAnEpochSeesAnImageAtMostOnce(t *testing.T) {
	s := synthetic(50, 1, 8, 50) // label = index
	l := newTestLoader(t, s, nil, options(8))
	if l.StepsPerEpoch() != 6 {
		t.Fatalf("%d steps an epoch, want ⌊50/8⌋", l.StepsPerEpoch())
	}
	first, second := visited(l, 0, 1, 2, 3, 4, 5), visited(l, 6, 7, 8, 9, 10, 11)
	if slices.Equal(first, second) {
		t.Error("two epochs have one order")
	}
	for name, epoch := range map[string][]int{"first": first, "second": second} {
		slices.Sort(epoch)
		if len(slices.Compact(epoch)) != 48 {
			t.Errorf("%s epoch: %v has repetitions", name, epoch)
		}
	}
}

func TestFewImagesFillBatchesEvenly(t *testing.T) {
	l := newTestLoader(t, synthetic(5, 1, 8, 5), nil, options(8))
	seen := visited(l, 0, 1, 2, 3, 4) // 40 = 8 epochs of 5
	for y := range 5 {
		if n := len(slices.DeleteFunc(slices.Clone(seen), func(v int) bool { return v != y })); n != 8 {
			t.Errorf("image %d comes %d times in 8 epochs", y, n)
		}
	}
}

func TestIndicesRestrictTheStream(t *testing.T) {
	l := newTestLoader(t, synthetic(50, 1, 8, 50), []int{3, 30, 41, 7}, options(4))
	seen := visited(l, 5)
	if slices.Sort(seen); !slices.Equal(seen, []int{3, 7, 30, 41}) {
		t.Errorf("an epoch has %v, want 3 7 30 41", seen)
	}
}

func TestRanksShareOneJointBatch(t *testing.T) {
	s := synthetic(100, 1, 8, 10)
	whole := newTestLoader(t, s, nil, options(12))
	for step := range 20 {
		var got []float32
		for rank := range 3 {
			o := options(4)
			o.Rank, o.Ranks = rank, 3
			x, _ := load(newTestLoader(t, s, nil, o), step)
			got = append(got, x...)
		}
		if want, _ := load(whole, step); !slices.Equal(got, want) {
			t.Fatalf("step %d: three ranks of 4 don't make the batch of 12", step)
		}
	}
}

func TestLoaderServesGoroutinesAlike(t *testing.T) {
	s := synthetic(64, 1, 8, 4)
	shared := newTestLoader(t, s, nil, options(16))
	var wg sync.WaitGroup
	got := make([][]float32, 16)
	for step := range got {
		wg.Go(func() { got[step], _ = load(shared, step) })
	}
	wg.Wait()
	for step, x := range got {
		if want, _ := load(newTestLoader(t, s, nil, options(16)), step); !slices.Equal(x, want) {
			t.Errorf("step %d differs when others load at the same time", step)
		}
	}
}

func TestImpossibleLoadersAreRefused(t *testing.T) {
	s := synthetic(4, 1, 8, 2)
	for name, o := range map[string]LoaderOptions{"no batch": {}, "rank": {Batch: 1, Rank: 2, Ranks: 2}, "crop": {Batch: 1, Augment: Augment{Crop: 9}}} {
		if _, err := NewLoader(s, nil, o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := NewLoader(s, []int{}, LoaderOptions{Batch: 1}); err == nil {
		t.Error("no images: accepted")
	}
}

func TestPrefetchGivesTheLoadersBatches(t *testing.T) {
	l := newTestLoader(t, synthetic(50, 3, 8, 5), nil, options(8))
	stream := Prefetch(l, 7, 3)
	defer stream.Close()
	for step := 7; step < 40; step++ {
		b := stream.Next()
		x, labels := load(l, step)
		if b.Step != step || !slices.Equal(b.Pixels, x) || !slices.Equal(b.Labels, labels) {
			t.Fatalf("step %d: the stream has another batch (step %d)", step, b.Step)
		}
	}
}

func TestCloseEndsTheStream(t *testing.T) {
	for taken := range 4 { // with buffers free, full and in the caller's hands
		stream := Prefetch(newTestLoader(t, synthetic(9, 1, 8, 3), nil, options(2)), 0, 2)
		for range taken {
			stream.Next()
		}
		stream.Close() // returns only when the goroutine has
		stream.Close()
		if b := stream.Next(); b != nil {
			t.Errorf("a closed stream has step %d, want nil", b.Step)
		}
	}
}

// A bug in the goroutine is one of whoever takes its batches, after those that were made before.
func TestAPanicInTheStreamIsItsReaders(t *testing.T) {
	l := newTestLoader(t, synthetic(9, 1, 8, 3), nil, options(2))
	l.augment = nil
	stream := Prefetch(l, 5, 2)
	defer stream.Close()
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "while the batch of step 5 was made\n") {
			t.Errorf("got %q", said)
		}
	}()
	t.Errorf("a batch: %v", stream.Next())
}

func TestStepsMakeNoGarbage(t *testing.T) {
	l := newTestLoader(t, synthetic(50, 1, 8, 5), nil, options(8))
	stream := Prefetch(l, 0, 2)
	defer stream.Close()
	stream.Next()
	// The first epochs allocate the order once; nothing afterwards.
	if n := testing.AllocsPerRun(100, func() { stream.Next() }); n >= 1 {
		t.Errorf("%v allocations a step, want 0", n)
	}
}
