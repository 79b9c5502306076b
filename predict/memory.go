package predict

import (
	"fmt"

	"jem/backend"
	"jem/backend/trace"
	"jem/config/settings"
	"jem/feed"
	"jem/internal/sysmem"
	"jem/model"
)

// Option says how a network is opened.
type Option func(*Predictor)

// AtMost opens a network for a caller who will put no more than so many images through it at once, and
// can do with fewer: Predictor.Score.
func AtMost(images int) Option { return func(p *Predictor) { p.most = images } }

// plentiful is memory that nobody is spared, in bytes: a batch of feed.EvalBatch that takes no more is
// taken whatever was asked for, since convolutions choose their algorithms, and answers their last
// bits, by the batch.
const plentiful = 1 << 30

// rows is how many images go through the network at once: feed.EvalBatch, or, for a caller of AtMost,
// as few as were asked for and as there is memory for. Without memory for that, the error is a
// *settings.Error.
func (p *Predictor) rows(c model.Config) (int, error) {
	n := feed.EvalBatch
	sizes, known := p.dev.(backend.Sizer)
	if !known {
		return n, nil
	}
	need, err := footprint(sizes, c, n)
	if err != nil {
		return 0, err
	}
	var limit sysmem.Limit
	short := func() (is bool) {
		if p.dev.Info().Kind == "cpu" {
			limit, is = sysmem.Short(float64(need))
		}
		return is
	}
	if p.most > 0 && (need > plentiful || short()) {
		for n = min(n, p.most); ; n = (n + 1) / 2 {
			if need, err = footprint(sizes, c, n); err != nil || n == 1 || !short() {
				break
			}
		}
	}
	if err == nil && short() {
		err = &settings.Error{Faults: []settings.Fault{{Where: p.Checkpoint, Problem: fmt.Sprintf("a network for images of %d×%d pixels needs %s for %s at once; %s leaves %s",
			c.Size, c.Size, sysmem.Amount(float64(need)), CountImages(n), limit.By, sysmem.Amount(limit.Bytes))}}}
	}
	return n, err
}

// Keep refuses to keep n images of the network's, and once more in another order, where there is no memory for
// them. The error is a *settings.Error.
func (p *Predictor) Keep(n int) error {
	c := p.net.Config
	need := 2 * 4 * float64(n) * float64(c.InC*c.Size*c.Size)
	limit, short := sysmem.Short(need)
	if !short {
		return nil
	}
	return &settings.Error{Faults: []settings.Fault{{Where: p.Checkpoint, Problem: fmt.Sprintf("%s of %d×%d pixels need %s, %s leaves %s: ask for fewer",
		CountImages(n), c.Size, c.Size, sysmem.Amount(need), limit.By, sysmem.Amount(limit.Bytes))}}}
}

// footprint is the memory, in bytes, that answers to n images at once take, by the code that will take it.
func footprint(sizes backend.Sizer, c model.Config, n int) (int64, error) {
	paper := trace.NewOn(sizes)
	net, err := model.Plan(paper, c, n)
	if err != nil {
		return 0, err
	}
	e := planEvaluator(paper, net, n)
	r := newResponder(paper, net, n)
	backend.Pass(paper, func() { r.pass(e.x) })
	t := paper.Taken()
	images := 4 * int64(n) * int64(c.InC*c.Size*c.Size) // on the host
	return t.Images + t.Values + t.Plans + images, nil
}
