package batch

import (
	"math"
	"time"

	"jem/predict"
)

// part is what a batch has of a request: images from one on.
type part struct {
	r       *request
	from, n int
}

// gather fills a.Images with what waits, those of one kind of pass, the oldest request's: images that want no gradient
// don't wait for those that do. Each request first gets an equal share of the batch, then the oldest ones what
// is left; one that isn't through goes behind the others. So a few images never wait for the end of many.
// Only requests that m has begun with, or nobody has, are taken. It returns the number of images.
func (b *Batcher) gather(m *Model, only bool) (n int, asked predict.Asked) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parts = b.parts[:0]
	first := b.oldest(only)
	if first == nil {
		return 0, asked
	}
	backward := first.asked.Backward()
	fits := func(r *request) bool { return r.asked.Backward() == backward && (!only || r.taken > 0) }
	alike := 0
	for _, r := range b.waiting {
		if fits(r) {
			alike++
		}
	}
	share := max(1, b.o.Most/alike)
	for _, most := range []int{share, b.o.Most} {
		for _, r := range b.waiting {
			if k := min(most, r.n-r.taken, b.o.Most-n); k > 0 && fits(r) {
				b.take(r, k, n, m)
				n += k
				asked = asked.Or(r.asked)
			}
		}
	}
	b.images -= n
	b.requeue()
	return n, asked
}

// oldest is the request that has waited longest.
func (b *Batcher) oldest(only bool) *request {
	for _, r := range b.waiting {
		if !only || r.taken > 0 {
			return r
		}
	}
	return nil
}

// take puts k images of a request at place at of the batch.
func (b *Batcher) take(r *request, k, at int, m *Model) {
	if r.taken == 0 {
		r.model = m
	}
	copy(b.answerer.Images[at*b.pixels:(at+k)*b.pixels], r.images[r.taken*b.pixels:])
	b.parts = append(b.parts, part{r, r.taken, k})
	r.taken += k
}

// requeue takes out whose images are all in batches, and puts behind whose are in part.
func (b *Batcher) requeue() {
	b.later = b.later[:0]
	keep := b.waiting[:0]
	for _, r := range b.waiting {
		switch {
		case r.taken == r.n:
		case b.isPart(r):
			b.later = append(b.later, r)
		default:
			keep = append(keep, r)
		}
	}
	keep = append(keep, b.later...)
	clear(b.waiting[len(keep):])
	clear(b.later)
	b.waiting = keep
}

func (b *Batcher) isPart(r *request) bool {
	for _, p := range b.parts {
		if p.r == r {
			return true
		}
	}
	return false
}

// tally says what became of the batch that the device has just answered.
func (b *Batcher) tally(backward bool, began, now time.Time) Batch {
	s := Batch{Took: now.Sub(began), Backward: backward}
	for _, p := range b.parts {
		s.Images += p.n
		if p.from == 0 {
			s.Requests++
		}
		s.Waited = max(s.Waited, began.Sub(p.r.since))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count.Batches++
	b.count.Images += int64(s.Images)
	b.count.Busy += s.Took
	return s
}

// hand gives the answers of a batch to its requests.
func (b *Batcher) hand(got predict.Answers) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := 0
	for _, p := range b.parts {
		for j := range p.n {
			if !p.r.gone {
				b.answer(p.r, p.from+j, got, i)
			}
			i++
		}
		p.r.done += p.n
		if p.r.done == p.r.n {
			p.r.end(nil)
		}
	}
	clear(b.parts)
}

// answer copies row i of a batch to image j of a request.
func (b *Batcher) answer(r *request, j int, got predict.Answers, i int) {
	a := &r.answers[j]
	row := func(all []float32, each int) []float32 { return all[i*each : (i+1)*each] }
	copy(a.Logits, row(got.Logits, b.logits))
	a.LogPx, a.Model = got.LogPx[i], r.model
	sum := float64(a.LogPx)
	for _, v := range a.Logits { // one of −∞ leaves log p(x) finite
		sum += float64(v)
	}
	if r.asked.Backward() {
		a.Mass = got.Mass[i]
		sum += float64(a.Mass)
	}
	if r.asked.Gradient {
		copy(a.Gradient, row(got.Gradient, b.pixels))
	}
	if r.asked.Features {
		copy(a.Features, row(got.Features, b.features))
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		r.end(&NumberError{j})
		b.forget(r)
	}
}
