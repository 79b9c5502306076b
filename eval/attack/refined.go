package attack

import (
	"jem/backend"
	"jem/backend/philox"
	"jem/sampler"
)

// Network is what the attack needs of a classifier on a device.
type Network interface {
	// Forward returns the logits, Dense (N,K), of images x (N,C,H,W); they are the network's
	// until the next call.
	Forward(x backend.Tensor) backend.Tensor
	// InputGrad assigns dx the gradient of Σ dlogits·logits at the images of the last Forward.
	InputGrad(dx, dlogits backend.Tensor)
}

// Refined is the published predictor JEM-k (Grathwohl et al. 2020, section 5.4; official
// attack script): of each image Chains copies get pixel noise, move SGLD.Steps = k steps up
// log p(x), and their logits are averaged. Its gradient takes every SGLD step for the
// identity (straight through), as the official code does by moving the chains in place; for
// k = 0 it is exact for the noise drawn.
type Refined struct {
	chains int
	noise  float32
	steps  int
	net    Network
	dev    backend.Device

	shape               []int          // C, H, W
	classes, batch      int            // images a pass
	x, grad             backend.Tensor // (batch·chains,C,H,W)
	mean, dlogits, coef backend.Tensor // (batch·chains,K) and (…,4)
	labels              backend.Tensor
	moves               *sampler.Chains
	copies, logits      []float32 // host: (batch·chains,D), (…,K)
	answers             []float32 // averaged logits of all images of a call
}

// RefinedOptions configure NewRefined.
type RefinedOptions struct {
	Chains  int          // copies of an image; the paper's 5
	Noise   float32      // std of the noise they start with; official: 0.03 for L∞, 0 for L2
	SGLD    sampler.SGLD // Steps is k
	Density sampler.Target
	Net     Network
	Classes int
	Shape   []int // of an image: C, H, W
	Rows    int   // images that the network takes at a time, at least Chains
}

// NewRefined allocates the predictor's memory on the device; Close gives it back.
func NewRefined(d backend.Device, o RefinedOptions) *Refined {
	batch := max(1, o.Rows/o.Chains)
	rows := batch * o.Chains
	pixels := o.Shape[0] * o.Shape[1] * o.Shape[2]
	r := &Refined{
		chains: o.Chains, noise: o.Noise, steps: o.SGLD.Steps, net: o.Net, dev: d,
		shape: o.Shape, classes: o.Classes, batch: batch,
		x:       d.New(backend.Image, rows, o.Shape[0], o.Shape[1], o.Shape[2]),
		grad:    d.New(backend.Image, rows, o.Shape[0], o.Shape[1], o.Shape[2]),
		mean:    d.New(backend.Dense, rows, o.Classes),
		dlogits: d.New(backend.Dense, rows, o.Classes),
		coef:    d.New(backend.Dense, rows, 4),
		labels:  d.New(backend.Index, rows),
		copies:  make([]float32, rows*pixels),
		logits:  make([]float32, rows*o.Classes),
	}
	share := 1 / float32(o.Chains)
	coef := make([]float32, 0, 4*rows)
	for range rows { // cross-entropy at the mean logits: (softmax − onehot)/chains for each copy
		coef = append(coef, share, 0, -share, 0)
	}
	d.Upload(r.coef, coef)
	r.moves = sampler.NewChains(d, o.SGLD, r.x, r.grad, func(int) sampler.Target { return o.Density })
	return r
}

// Close frees the device's memory.
func (r *Refined) Close() {
	r.moves.Close()
	r.dev.Free(r.x, r.grad, r.mean, r.dlogits, r.coef, r.labels)
}

// Classes implements Target.
func (r *Refined) Classes() int { return r.classes }

// Logits implements Target.
func (r *Refined) Logits(images []float32, n int, key philox.Key) ([]float32, error) {
	return r.each(images, n, key, r.forward, nil)
}

// Gradient implements Target.
func (r *Refined) Gradient(dx, images []float32, loss Loss, labels []int32, key philox.Key) ([]float32, error) {
	if err := loss.check(r.classes); err != nil {
		return nil, err
	}
	d := r.pixels()
	if loss == CrossEntropy && r.chains == 1 {
		// The answer is the network's own: the loss's gradient needs no look at it.
		whole := func(x backend.Tensor, lo, n int) backend.Tensor { return r.pass(x, labels[lo:lo+n]) }
		return r.each(images, len(labels), key, whole, func(lo, n int) error { return r.collect(dx[lo*d : (lo+n)*d]) })
	}
	kept := func(x backend.Tensor, _, _ int) backend.Tensor { return r.net.Forward(x) } // its activations stay for backward
	return r.each(images, len(labels), key, kept, func(lo, n int) error {
		return r.backward(dx[lo*d:(lo+n)*d], loss, labels[lo:lo+n])
	})
}

func (r *Refined) pixels() int { return r.shape[0] * r.shape[1] * r.shape[2] }

// each answers the images batch by batch, as network does; then is called after each with its first image
// and number.
func (r *Refined) each(images []float32, n int, key philox.Key, network func(x backend.Tensor, lo, n int) backend.Tensor, then func(lo, n int) error) ([]float32, error) {
	d := r.pixels()
	r.answers = r.answers[:0]
	for lo := 0; lo < n; lo += r.batch {
		m := min(r.batch, n-lo)
		noise := philox.New(key.Seed^uint64(key.Sub)<<32, uint32(lo), philox.SampleNoise).At(int(key.Step), 0)
		x := r.refine(images[lo*d:(lo+m)*d], m, noise)
		if err := r.answer(network(x, lo, m), m); err != nil {
			return nil, err
		}
		if then != nil {
			if err := then(lo, m); err != nil {
				return nil, err
			}
		}
	}
	return r.answers, nil
}

// forward is the network's pass where nothing but logits are wanted.
func (r *Refined) forward(x backend.Tensor, _, _ int) (logits backend.Tensor) {
	backend.Pass(r.dev, func() { logits = r.net.Forward(x) })
	return logits
}

// pass is a pass forward and back, for the gradient of the cross-entropy of images that have no copies.
func (r *Refined) pass(x backend.Tensor, labels []int32) (logits backend.Tensor) {
	view := func(t backend.Tensor) backend.Tensor { return r.dev.Rows(t, 0, len(labels)) }
	r.dev.UploadIndex(view(r.labels), labels)
	backend.Pass(r.dev, func() {
		logits = r.net.Forward(x)
		r.dev.LogitGrad(view(r.dlogits), logits, view(r.labels), view(r.coef))
		r.net.InputGrad(view(r.grad), view(r.dlogits))
	})
	return logits
}

// refine makes the copies of n images and moves them.
func (r *Refined) refine(images []float32, n int, key philox.Key) (x backend.Tensor) {
	d, rows := r.pixels(), n*r.chains
	copies := r.copies[:rows*d]
	if r.noise > 0 {
		key.FillNormal(copies)
		for i := range copies {
			copies[i] *= r.noise
		}
	} else {
		clear(copies)
	}
	for i := range copies {
		copies[i] += images[i/(d*r.chains)*d+i%d]
	}
	x = r.moves.Images(rows)
	r.dev.Upload(x, copies)
	key.Sub++
	r.moves.Move(rows, 0, r.steps, key)
	return x
}

// answer appends the averaged logits of n images to the answers.
func (r *Refined) answer(of backend.Tensor, n int) error {
	logits := r.logits[:n*r.chains*r.classes]
	if err := r.dev.Download(logits, of); err != nil {
		return err
	}
	for i := range n {
		for k := range r.classes {
			sum := float32(0)
			for c := range r.chains {
				sum += logits[(i*r.chains+c)*r.classes+k]
			}
			r.answers = append(r.answers, sum/float32(r.chains))
		}
	}
	return nil
}

// backward writes the gradients of the images that were answered last.
func (r *Refined) backward(dx []float32, loss Loss, labels []int32) error {
	n := len(labels)
	rows := n * r.chains
	view := func(t backend.Tensor) backend.Tensor { return r.dev.Rows(t, 0, rows) }
	answers := r.answers[len(r.answers)-n*r.classes:]
	if loss == CrossEntropy {
		r.crossEntropy(view, answers, labels)
	} else {
		r.dev.Upload(view(r.dlogits), r.lossGrad(loss, answers, labels))
	}
	r.net.InputGrad(view(r.grad), view(r.dlogits))
	return r.collect(dx)
}

// collect adds up the copies' gradients.
func (r *Refined) collect(dx []float32) error {
	d := r.pixels()
	rows := len(dx) / d * r.chains
	copies := r.copies[:rows*d]
	if err := r.dev.Download(copies, r.dev.Rows(r.grad, 0, rows)); err != nil {
		return err
	}
	clear(dx)
	for i, g := range copies {
		dx[i/(d*r.chains)*d+i%d] += g
	}
	return nil
}

// crossEntropy lets the device write the gradient at the logits, from the answers.
func (r *Refined) crossEntropy(view func(backend.Tensor) backend.Tensor, answers []float32, labels []int32) {
	mean, repeated := make([]float32, 0, len(answers)*r.chains), make([]int32, 0, len(labels)*r.chains)
	for i, y := range labels {
		for range r.chains {
			mean, repeated = append(mean, answers[i*r.classes:(i+1)*r.classes]...), append(repeated, y)
		}
	}
	r.dev.Upload(view(r.mean), mean)
	r.dev.UploadIndex(view(r.labels), repeated)
	r.dev.LogitGrad(view(r.dlogits), view(r.mean), view(r.labels), view(r.coef))
}

// lossGrad is the gradient of any loss at the logits of each copy.
func (r *Refined) lossGrad(loss Loss, answers []float32, labels []int32) []float32 {
	all, row := make([]float32, 0, len(answers)*r.chains), make([]float32, r.classes)
	for i, y := range labels {
		loss.Grad(row, answers[i*r.classes:(i+1)*r.classes], y)
		for k := range row {
			row[k] /= float32(r.chains) // the answer is the copies' mean
		}
		for range r.chains {
			all = append(all, row...)
		}
	}
	return all
}
