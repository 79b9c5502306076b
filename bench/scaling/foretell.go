package scaling

// Time is a step's time in seconds.
type Time struct {
	Step     float64 `json:"step_seconds"`
	Compute  float64 `json:"compute_seconds"`  // of a rank
	Exchange float64 `json:"exchange_seconds"` // of sums and gathers, hidden or not
	Waiting  float64 `json:"waiting_seconds"`  // that computing stands still for it
}

// Foretell is the time of a step on so many equal ranks.
func Foretell(w Work, m Machine, ranks int) Time {
	rate := m.rate(w.Images)
	t := Time{Compute: m.Fixed + w.FLOPs()/rate}
	gathers := m.Gather(ranks*w.Chains, ranks) + m.Gather(ranks*w.Logits, ranks)
	free := 0.0 // when the network has done what it was given, and
	now := 0.0  // the time, since the backward pass began
	for _, b := range buckets(w, m) {
		now += b.FLOPs / rate
		at := now
		if !m.Overlap {
			at = w.backward() / rate
		}
		cost := m.Sum(b.Bytes, ranks)
		free = max(free, at) + cost
		t.Exchange += cost
	}
	t.Exchange += gathers
	t.Waiting = gathers + max(0, free-now)
	t.Step = t.Compute + t.Waiting
	return t
}

// buckets are the pieces of the backward pass until a bucket is full.
func buckets(w Work, m Machine) (all []Piece) {
	var b Piece
	for _, p := range w.Backward {
		b.FLOPs += p.FLOPs
		b.Bytes += p.Bytes
		if b.Bytes >= m.Bucket {
			all = append(all, b)
			b = Piece{}
		}
	}
	if b != (Piece{}) {
		all = append(all, b)
	}
	return all
}

func (w Work) backward() (flops float64) {
	for _, p := range w.Backward {
		flops += p.FLOPs
	}
	return flops
}
