package predict

import "slices"

// Walk are a few chains that whoever shows them moves some SGLD steps at a time and looks at in between. It
// belongs to the device's goroutine.
type Walk struct {
	chains *Chains
	images []float32 // (N,C,H,W)
	taken  int
}

// NewWalk begins o.N chains, with images (N,C,H,W) in [−1,1], or where o says if images is nil. They are the chains
// that Sample draws, whatever pieces they are moved in. o.Steps doesn't matter. Close gives the device's memory back.
func NewWalk(p *Predictor, o SampleOptions, images []float32) (*Walk, error) {
	if images == nil {
		start, err := p.Starts(o)
		if err != nil {
			return nil, err
		}
		c := p.net.Config
		images = make([]float32, o.N*c.InC*c.Size*c.Size)
		start(images, 0)
	}
	w := &Walk{chains: newChains(p, o, o.N), images: slices.Clone(images)}
	w.chains.Give(0)
	p.dev.Upload(w.chains.x, w.images)
	return w, p.dev.Sync()
}

// Images are the chains as they are now. The next Step overwrites them.
func (w *Walk) Images() []float32 { return w.images }

// Taken is how many SGLD steps they have taken.
func (w *Walk) Taken() int { return w.taken }

// Step takes so many more SGLD steps.
func (w *Walk) Step(steps int) error {
	c := w.chains
	c.moves.Move(c.x.Shape()[0], w.taken, steps, c.key.At(0, 0))
	w.taken += steps
	return c.p.dev.Download(w.images, c.x)
}

// Close gives the device's memory back.
func (w *Walk) Close() { w.chains.Close() }
