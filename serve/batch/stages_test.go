package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jem/backend"
	"jem/internal/allocs"
	"jem/predict"
	"jem/serve/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hooked is a device whose uploads of images and downloads a test holds up or spoils.
type hooked struct {
	backend.Device
	upload   atomic.Pointer[func()]
	download atomic.Pointer[func() error]
	closed   atomic.Bool
}

func (h *hooked) Upload(dst backend.Tensor, src []float32) {
	if f := h.upload.Load(); f != nil && dst.Kind() == backend.Image {
		(*f)()
	}
	h.Device.Upload(dst, src)
}

func (h *hooked) Download(dst []float32, src backend.Tensor) error {
	if f := h.download.Load(); f != nil {
		if err := (*f)(); err != nil {
			return err
		}
	}
	return h.Device.Download(dst, src)
}

func (h *hooked) Close() error {
	h.closed.Store(true)
	return h.Device.Close()
}

// stage is a Batcher whose first batch is held on the device until release is called.
type stage struct {
	*batch.Batcher
	dev     *hooked
	held    chan struct{} // one is there when a batch is on the device
	free    chan struct{}
	batches []batch.Batch // what Watch was told; to be read when the device is idle
}

func newStage(t *testing.T, o batch.Options) *stage {
	t.Helper()
	s := &stage{held: make(chan struct{}, 100), free: make(chan struct{})}
	if o.Watch == nil {
		o.Watch = func(b batch.Batch) { s.batches = append(s.batches, b) }
	}
	s.Batcher = started(t, official(func(d backend.Device) backend.Device {
		s.dev = &hooked{Device: d}
		return s.dev
	}), o)
	hold := func() {
		s.held <- struct{}{}
		<-s.free
	}
	s.dev.upload.Store(&hold)
	return s
}

func (s *stage) release() { close(s.free) }

// outcome is that of a Submit or a Do in the background.
type outcome struct {
	answers []batch.Answer
	err     error
}

func (s *stage) submit(ctx context.Context, n int, asked predict.Asked) chan outcome {
	c := make(chan outcome, 1)
	go func() {
		a, err := s.Submit(ctx, images(0, n), asked)
		c <- outcome{a, err}
	}()
	return c
}

// first submits n images and waits until they are on the device.
func (s *stage) first(ctx context.Context, n int) chan outcome {
	c := s.submit(ctx, n, predict.Asked{})
	<-s.held
	return c
}

// waiting waits until so many requests and turns wait.
func (s *stage) waiting(t *testing.T, requests, turns int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c := s.Count()
		if c.WaitingRequests == requests && c.WaitingTurns == turns {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%+v, want %d requests and %d turns to wait", c, requests, turns)
		}
	}
}

func wantAnswers(t *testing.T, c chan outcome, n int) {
	t.Helper()
	if o := <-c; o.err != nil || len(o.answers) != n || o.answers[n-1].LogPx == 0 {
		t.Errorf("%d answers, want %d: %v", len(o.answers), n, o.err)
	}
}

func wantError(t *testing.T, c chan outcome, want error) {
	t.Helper()
	if o := <-c; !errors.Is(o.err, want) || o.answers != nil {
		t.Errorf("%d answers, %v, want %v", len(o.answers), o.err, want)
	}
}

// TestWhoGoesIsForgotten at every stage, and the others don't notice.
func TestWhoGoesIsForgotten(t *testing.T) {
	gone, leaveAtOnce := context.WithCancel(context.Background())
	leaveAtOnce()
	ctx := context.Background()
	s := newStage(t, batch.Options{Most: 4})
	if _, err := s.Submit(gone, images(0, 1), predict.Asked{}); !errors.Is(err, context.Canceled) {
		t.Errorf("before: %v", err)
	}
	if err := s.Do(gone, func(*batch.Model) error { t.Error("done"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("before: %v", err)
	}
	onDevice, leave := context.WithCancel(ctx)
	a := s.first(onDevice, 10) // 4 of them on the device
	inLine, leaveLine := context.WithCancel(ctx)
	b := s.submit(inLine, 3, predict.Asked{})
	turn := make(chan error, 1)
	go func() { turn <- s.Do(inLine, func(*batch.Model) error { t.Error("done"); return nil }) }()
	c := s.submit(ctx, 2, predict.Asked{Gradient: true})
	s.waiting(t, 3, 1)
	leave()
	leaveLine()
	wantError(t, a, context.Canceled)
	wantError(t, b, context.Canceled)
	if err := <-turn; !errors.Is(err, context.Canceled) {
		t.Errorf("a turn in line: %v", err)
	}
	if n := s.Count(); n.WaitingImages != 2 || n.WaitingRequests != 1 || n.WaitingTurns != 0 {
		t.Errorf("still waiting: %+v", n)
	}
	s.release()
	wantAnswers(t, c, 2)
	if n := s.Count(); n.Batches != 2 || n.Images != 6 || n.WaitingImages != 0 {
		t.Errorf("in the end %+v", n)
	}
}

// TestATurnThatHasBegunIsWaitedFor, since what it uses is its caller's.
func TestATurnThatHasBegunIsWaitedFor(t *testing.T) {
	b := start(t, batch.Options{})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := false
	err := b.Do(ctx, func(m *batch.Model) error {
		stop()
		time.Sleep(10 * time.Millisecond)
		done = m == b.Model()
		return errors.New("its own")
	})
	if !done || err == nil || err.Error() != "its own" || b.Err() != nil {
		t.Errorf("done %v, %v, %v", done, err, b.Err())
	}
}

// TestWhatWaitsIsBounded.
func TestWhatWaitsIsBounded(t *testing.T) {
	ctx := context.Background()
	s := newStage(t, batch.Options{Most: 4, Queue: 5, Turns: 1})
	a := s.first(ctx, 4)
	b := s.submit(ctx, 3, predict.Asked{})
	turn := make(chan error, 1)
	go func() { turn <- s.Do(ctx, func(*batch.Model) error { return nil }) }()
	s.waiting(t, 1, 1)
	if _, err := s.Submit(ctx, images(0, 3), predict.Asked{}); !errors.Is(err, batch.ErrFull) {
		t.Errorf("3 beside 3 of 5: %v", err)
	}
	if _, err := s.Submit(ctx, images(0, 6), predict.Asked{}); !errors.Is(err, batch.ErrTooLarge) || !strings.Contains(err.Error(), "6, want at most 5") {
		t.Errorf("6 of 5: %v", err)
	}
	if err := s.Do(ctx, func(*batch.Model) error { return nil }); !errors.Is(err, batch.ErrFull) {
		t.Errorf("a second turn of one: %v", err)
	}
	c := s.submit(ctx, 2, predict.Asked{})
	s.waiting(t, 2, 1)
	s.release()
	for c, n := range map[chan outcome]int{a: 4, b: 3, c: 2} {
		wantAnswers(t, c, n)
	}
	if err := <-turn; err != nil {
		t.Error(err)
	}
}

// TestAFewNeverWaitForMany: one image that comes after forty is in the next batch, and who wants gradients isn't put off
// by who doesn't.
func TestAFewNeverWaitForMany(t *testing.T) {
	ctx := context.Background()
	s := newStage(t, batch.Options{Most: 4})
	many := s.first(ctx, 20)
	slow := s.submit(ctx, 6, predict.Asked{Mass: true})
	s.waiting(t, 2, 0)
	few := s.submit(ctx, 1, predict.Asked{})
	s.waiting(t, 3, 0)
	s.release()
	wantAnswers(t, many, 20)
	wantAnswers(t, slow, 6)
	wantAnswers(t, few, 1)
	s.Close(ctx)
	// The first batch is of many alone, the second, of many's kind, has the one, and then the kinds take turns.
	var got []string
	for _, b := range s.batches {
		got = append(got, fmt.Sprint(b.Images, b.Requests, b.Backward))
	}
	want := []string{"4 1 false", "4 1 false", "4 1 true", "4 0 false", "2 0 true", "4 0 false", "4 0 false", "1 0 false"}
	if !slices.Equal(got, want) {
		t.Errorf("batches %q, want %q", got, want)
	}
}

// TestTurnsAndBatchesAlternate.
func TestTurnsAndBatchesAlternate(t *testing.T) {
	ctx := context.Background()
	var order []string // on the device's goroutine
	s := newStage(t, batch.Options{Most: 2, Watch: func(batch.Batch) { order = append(order, "batch") }})
	a := s.first(ctx, 6)
	var turns sync.WaitGroup
	for range 3 {
		turns.Go(func() {
			if err := s.Do(ctx, func(*batch.Model) error { order = append(order, "turn"); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	s.waiting(t, 1, 3)
	s.release()
	turns.Wait()
	wantAnswers(t, a, 6)
	s.Close(ctx)
	if want := []string{"batch", "turn", "batch", "turn", "batch", "turn"}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
}

// TestCloseDrains: what waits is answered; and when there is no time for that, all that waits is told.
func TestCloseDrains(t *testing.T) {
	for _, patient := range []bool{true, false} {
		s := newStage(t, batch.Options{Most: 2})
		ctx, enough := context.WithCancel(context.Background())
		a := s.first(ctx, 2)
		b := s.submit(context.Background(), 5, predict.Asked{})
		turn := make(chan error, 1)
		go func() { turn <- s.Do(context.Background(), func(*batch.Model) error { return nil }) }()
		s.waiting(t, 1, 1)
		closed := make(chan error, 1)
		closing, hurry := context.WithCancel(context.Background())
		go func() { closed <- s.Close(closing) }()
		for s.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if patient {
			s.release()
			wantAnswers(t, b, 5)
			if err := errors.Join(<-turn, <-closed); err != nil {
				t.Error(err)
			}
		} else {
			hurry()
			wantError(t, b, batch.ErrClosed)
			if err := <-turn; !errors.Is(err, batch.ErrClosed) {
				t.Errorf("a turn: %v", err)
			}
			s.release()
			if err := <-closed; !errors.Is(err, context.Canceled) {
				t.Errorf("Close: %v", err)
			}
		}
		wantAnswers(t, a, 2) // that was on the device
		if !s.dev.closed.Load() {
			t.Error("the device is open")
		}
		hurry()
		enough()
	}
}

// TestABatchWaitsForWhoCameLastTime, but not for longer than it may, nor when the service ends.
func TestABatchWaitsForWhoCameLastTime(t *testing.T) {
	ctx := context.Background()
	s := newStage(t, batch.Options{Most: 8, Wait: time.Hour})
	all := []chan outcome{s.first(ctx, 1)}
	for range 3 {
		all = append(all, s.submit(ctx, 1, predict.Asked{}))
	}
	s.waiting(t, 3, 0)
	s.release()
	for _, c := range all {
		wantAnswers(t, c, 1)
	}
	x, y := s.submit(ctx, 1, predict.Asked{}), s.submit(ctx, 1, predict.Asked{})
	s.waiting(t, 2, 0)
	z := s.submit(ctx, 1, predict.Asked{})
	for _, c := range []chan outcome{x, y, z} {
		wantAnswers(t, c, 1)
	}
	last := s.submit(ctx, 1, predict.Asked{})
	s.waiting(t, 1, 0)
	s.Close(ctx)
	wantAnswers(t, last, 1)
	var got []int
	for _, b := range s.batches {
		got = append(got, b.Requests)
	}
	if want := []int{1, 3, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("requests of the batches: %v, want %v", got, want)
	}
}

// TestAskingAllocatesLittle: a few pieces a request, whatever the network and however many images.
func TestAskingAllocatesLittle(t *testing.T) {
	b := start(t, batch.Options{})
	x := images(0, 20)
	ask := func() {
		if _, err := b.Submit(context.Background(), x, predict.Asked{}); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if n := allocs.PerRun(20, ask); n > 8 {
		t.Errorf("%g allocations a request of 20 images", n)
	}
}
