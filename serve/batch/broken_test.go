package batch_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"jem/backend"
	"jem/predict"
	"jem/serve/batch"
)

// TestABrokenDeviceIsToldToAll: a panic and an error alike, to those on the device, in line and to come.
func TestABrokenDeviceIsToldToAll(t *testing.T) {
	lost := errors.New("the bus is gone")
	for name, spoil := range map[string]func(*hooked){
		"panic": func(h *hooked) { h.upload.Store(new(func() { panic(lost) })) },
		"error": func(h *hooked) { h.download.Store(new(func() error { return lost })) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			s := newStage(t, batch.Options{Most: 2})
			a := s.first(ctx, 1)
			b := s.submit(ctx, 3, predict.Asked{})
			c := s.submit(ctx, 3, predict.Asked{Mass: true})
			turn := make(chan error, 1)
			s.waiting(t, 2, 0)
			spoil(s.dev)
			s.release()
			for _, o := range []chan outcome{b, c} {
				wantError(t, o, batch.ErrBroken)
			}
			<-a // answered by one, lost by the other
			<-s.Broken()
			go func() { turn <- s.Do(ctx, func(*batch.Model) error { return nil }) }()
			_, err := s.Submit(ctx, images(0, 1), predict.Asked{})
			for _, err := range []error{err, s.Err(), <-turn} {
				if !errors.Is(err, batch.ErrBroken) || !strings.Contains(err.Error(), lost.Error()) {
					t.Errorf("afterwards: %v", err)
				}
			}
			if !errors.Is(err, lost) {
				t.Errorf("what the device said is lost: %v", err)
			}
			if p := (*batch.PanicError)(nil); errors.As(err, &p) != (name == "panic") || p != nil && len(p.Stack) == 0 {
				t.Errorf("afterwards: %#v", err)
			}
			if err := s.Close(ctx); err != nil || !s.dev.closed.Load() {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// TestAPanicOfATurnBreaks, an error of one doesn't.
func TestAPanicOfATurnBreaks(t *testing.T) {
	b := start(t, batch.Options{})
	err := b.Do(context.Background(), func(*batch.Model) error { panic("shapes") })
	if p := (*batch.PanicError)(nil); !errors.As(err, &p) || p.Value != "shapes" {
		t.Errorf("got %v", err)
	}
	for b.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if !errors.Is(b.Err(), batch.ErrBroken) {
		t.Errorf("got %v", b.Err())
	}
}

// TestStartTellsWhatIsWrong, and closes what it has opened.
func TestStartTellsWhatIsWrong(t *testing.T) {
	wrong := errors.New("wrong")
	var dev *hooked
	hook := func(d backend.Device) backend.Device { dev = &hooked{Device: d}; return dev }
	for name, open := range map[string]func() (backend.Device, *batch.Model, error){
		"error": func() (backend.Device, *batch.Model, error) {
			d, _, _ := official(hook)()
			return d, nil, wrong
		},
		"panic": func() (backend.Device, *batch.Model, error) { panic(wrong) },
		"lost": func() (backend.Device, *batch.Model, error) {
			d, m, err := official(hook)()
			dev.download.Store(new(func() error { return wrong }))
			return d, m, err
		},
	} {
		dev = nil
		if b, err := batch.Start(open, batch.Options{}); b != nil || err == nil || !strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: %v", name, err)
		}
		if dev != nil && !dev.closed.Load() {
			t.Errorf("%s: the device is open", name)
		}
	}
}

// TestOneImageWithoutAScore is its request's trouble alone.
func TestOneImageWithoutAScore(t *testing.T) {
	ctx := context.Background()
	s := newStage(t, batch.Options{Most: 8})
	a := s.first(ctx, 1)
	bad := images(0, 12)
	bad[2*pixels+7] = 3e38
	bad[2*pixels+8] = -3e38
	spoilt := make(chan error, 1)
	go func() { _, err := s.Submit(ctx, bad, predict.Asked{}); spoilt <- err }()
	s.waiting(t, 1, 0)
	b := s.submit(ctx, 3, predict.Asked{})
	s.waiting(t, 2, 0)
	s.release()
	if n := (*batch.NumberError)(nil); !errors.As(<-spoilt, &n) || n.Image != 2 {
		t.Errorf("got %v", n)
	}
	wantAnswers(t, a, 1)
	wantAnswers(t, b, 3)
	if s.Err() != nil || s.Count().WaitingImages != 0 {
		t.Errorf("%v, %+v", s.Err(), s.Count())
	}
}
