package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"jem/model"
	"jem/predict"
	"jem/serve/batch"
)

// The events of a stream: one "begin", a "frame" for each look at the chains, one "end".
type (
	beginEvent struct {
		From   string `json:"from"`
		Chains int    `json:"chains"`
		Steps  int    `json:"steps"`
		Class  int    `json:"class"` // −1: log p(x) is climbed, whatever the class
		Seed   uint64 `json:"seed"`
		Slots  []int  `json:"slots,omitempty"` // of the replay buffer
	}
	frameEvent struct {
		Step       int       `json:"step"` // SGLD steps taken
		Images     []string  `json:"images"`
		LogPx      []float32 `json:"log_px"`
		Class      []int     `json:"class"` // that the model sees in each
		Confidence []float32 `json:"confidence"`
	}
	endEvent struct {
		Reason string `json:"reason"` // done, time, closing, replaced, diverged, failed
		Text   string `json:"text"`
	}
)

// frames is about how many looks there are at chains, however many steps they take.
const frames = 120

// errReplaced ends chains of a model that answers no more.
var errReplaced = errors.New("the model was replaced by a newer one")

// follow streams chains until they are through, the client has gone or time is up.
func (p *Page) follow(w http.ResponseWriter, r *http.Request, a ask) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		refuse(w, http.StatusTooManyRequests, fmt.Sprintf("%d chains are being watched already: try again in a little", p.o.Streams))
		return
	}
	if err := p.batcher.Err(); err != nil {
		fail(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), p.o.Stream)
	defer cancel()
	go func() {
		select {
		case <-p.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	e := newEvents(w, p.o.Stream)
	taken, err := p.walk(ctx, e, a)
	if r.Context().Err() == nil {
		_ = e.send("end", p.end(ctx, err, taken, a)) // nobody needs to be told that they have gone
	}
}

// end says why a stream ends.
func (p *Page) end(ctx context.Context, err error, taken int, a ask) endEvent {
	var none *batch.NumberError
	select {
	case <-p.stopping:
		return endEvent{"closing", "The service is shutting down."}
	default:
	}
	switch {
	case err == nil:
		return endEvent{"done", fmt.Sprintf("%d SGLD steps.", taken)}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return endEvent{"time", fmt.Sprintf("Time is up after %d of %d SGLD steps: a stream lasts %v at most.", taken, a.Steps, p.o.Stream)}
	case errors.Is(err, errReplaced):
		return endEvent{"replaced", "The model was replaced by a newer one: begin again."}
	case errors.As(err, &none):
		return endEvent{"diverged", fmt.Sprintf("A chain has diverged within %d SGLD steps: its pixels are no numbers any more.", taken)}
	}
	_, sentence := why(err)
	return endEvent{"failed", sentence}
}

// walk takes the steps, and shows the chains every now and then.
func (p *Page) walk(ctx context.Context, e *events, a ask) (taken int, err error) {
	if err := e.send("begin", beginEvent{a.from, a.N, a.Steps, a.Class, a.Seed, a.picked}); err != nil {
		return 0, err
	}
	c := chains{p: p, m: a.m, steps: 1}
	if err := c.open(ctx, a); err != nil {
		return 0, err
	}
	defer c.close()
	every := (a.Steps + frames - 1) / frames
	for tick := time.NewTicker(p.o.Frame); ; {
		if err := c.show(ctx, e); err != nil || c.w.Taken() >= a.Steps {
			tick.Stop()
			return c.w.Taken(), err
		}
		for next := min(a.Steps, c.w.Taken()+every); c.w.Taken() < next; {
			if err := c.step(ctx, next-c.w.Taken()); err != nil {
				tick.Stop()
				return c.w.Taken(), err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return c.w.Taken(), ctx.Err()
		}
	}
}

// chains are on the device a turn at a time.
type chains struct {
	p     *Page
	m     *batch.Model
	w     *predict.Walk
	steps int // that a turn has time for
}

// open puts the first images on the device.
func (c *chains) open(ctx context.Context, a ask) error {
	return c.p.batcher.Do(ctx, func(m *batch.Model) (err error) {
		if m != c.m {
			return errReplaced
		}
		c.w, err = predict.NewWalk(m.Predictor, a.SampleOptions, a.start)
		return err
	})
}

// step takes at most so many steps, as many as there is time for in a turn.
func (c *chains) step(ctx context.Context, most int) error {
	n := min(most, c.steps)
	var took time.Duration
	err := c.p.batcher.Do(ctx, func(m *batch.Model) error {
		if m != c.m {
			return errReplaced
		}
		begin := time.Now()
		err := c.w.Step(n)
		took = time.Since(begin)
		return err
	})
	switch {
	case errors.Is(err, batch.ErrFull): // others' turns: a little later
		return c.p.later(ctx)
	case err != nil:
		return err
	}
	// Powers of two: each number of steps is planned when it first comes, and few numbers are few plans.
	switch each := took / time.Duration(n); {
	case each*time.Duration(2*c.steps) < c.p.o.Turn && n == c.steps:
		c.steps *= 2
	case each*time.Duration(c.steps) > 2*c.p.o.Turn && c.steps > 1:
		c.steps /= 2
	}
	return nil
}

// later waits for as long as a turn takes.
func (p *Page) later(ctx context.Context) error {
	select {
	case <-time.After(p.o.Turn):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// show sends the chains as they are, and what the model says of them.
func (c *chains) show(ctx context.Context, e *events) error {
	images := c.w.Images()
	said, err := c.p.batcher.Submit(ctx, images, predict.Asked{})
	for errors.Is(err, batch.ErrFull) {
		if err := c.p.later(ctx); err != nil {
			return err
		}
		said, err = c.p.batcher.Submit(ctx, images, predict.Asked{})
	}
	if err != nil {
		return err
	}
	f := frameEvent{Step: c.w.Taken()}
	temperature, shape := c.p.about(c.m).Fitted.Temperature, c.m.Net().Config
	pixels := len(images) / len(said)
	for i, s := range said {
		class := model.Argmax(s.Logits)
		f.Images = append(f.Images, dataURL(images[i*pixels:(i+1)*pixels], shape.InC, shape.Size))
		f.LogPx, f.Class = append(f.LogPx, s.LogPx), append(f.Class, class)
		f.Confidence = append(f.Confidence, probabilities(s.Logits, temperature)[class])
	}
	return e.send("frame", f)
}

// close gives the device's memory back, also when the client has gone: where the device is gone, too, there is none.
func (c *chains) close() {
	for {
		err := c.p.batcher.Do(context.Background(), func(*batch.Model) error { c.w.Close(); return nil })
		if !errors.Is(err, batch.ErrFull) {
			return
		}
		time.Sleep(c.p.o.Turn)
	}
}
