package predict

import (
	"context"
	"fmt"

	"jem/feed"
	"jem/internal/metrics"
)

// Outputs are a network's answers to a set of images.
type Outputs struct {
	Logits   metrics.Table
	Labels   []int
	GradNorm []float64     // ‖∂log p(x)/∂x‖₂ over all pixels, in [−1,1] units; nil unless asked for
	Features metrics.Table // (N,64·width), the inputs of the linear layer; empty unless asked for
	ODIN     []float64     // the score of ODIN; nil unless asked for
	Digest   string        // SHA-256 of the images as the network took them, and of the labels
}

// Want says what Gather collects besides logits. Each costs time: Gradients a backward
// pass, ODIN a backward and a further forward pass; Features are there anyway.
type Want struct {
	Gradients, Features bool
	ODIN                *ODIN
}

// Gather runs a set of images through the network, until ctx ends. Watch hears after every
// batch how many images of what about names have been through.
func (p *Predictor) Gather(ctx context.Context, about string, images feed.Images, want Want, watch Watch) (*Outputs, error) {
	g := newGatherer(p, want)
	defer g.free()
	seen := feed.NewDigest(images)
	done := 0
	for i := range images.Batches() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := seen.Batch(i, p.eval.Images, p.eval.Labels)
		if err := g.batch(n); err != nil {
			return nil, err
		}
		done += n
		watch.Tell(about, done, images.Len())
	}
	return g.outputs(seen.Sum())
}

// gatherer collects outputs batch by batch.
type gatherer struct {
	p         *Predictor
	want      Want
	responder *responder
	odin      *odin
	logits    []float32
	features  []float32
	row       []float32 // features of a batch
	out       Outputs
}

func newGatherer(p *Predictor, want Want) *gatherer {
	g := &gatherer{p: p, want: want}
	if want.Gradients {
		g.responder = newResponder(p.dev, p.net, p.eval.rows)
	}
	if want.ODIN != nil {
		g.odin = newODIN(p, *want.ODIN)
	}
	if want.Features {
		g.row = make([]float32, feed.EvalBatch*p.Features())
	}
	return g
}

func (g *gatherer) free() {
	if g.responder != nil {
		g.responder.free()
	}
	if g.odin != nil {
		g.odin.free()
	}
}

// batch adds the outputs for the n images that lie ready.
func (g *gatherer) batch(n int) error {
	logits, norms, err := g.answer(n)
	if err != nil {
		return err
	}
	g.logits = append(g.logits, logits...)
	for _, y := range g.p.eval.Labels[:n] {
		g.out.Labels = append(g.out.Labels, int(y))
	}
	if g.want.Features {
		row := g.row[:n*g.p.Features()]
		if err := g.p.dev.Download(row, g.p.net.Features()); err != nil {
			return err
		}
		g.features = append(g.features, row...)
	}
	for _, v := range norms {
		g.out.GradNorm = append(g.out.GradNorm, float64(v))
	}
	if g.odin == nil {
		return nil
	}
	scores, err := g.odin.scores(n) // last: it runs the network on other images
	g.out.ODIN = append(g.out.ODIN, scores...)
	return err
}

// answer returns the logits of the first n images and, where they are asked for, the norms of their gradients.
func (g *gatherer) answer(n int) (logits, norms []float32, err error) {
	if g.responder != nil {
		return g.responder.answer(g.p.eval, n)
	}
	logits, err = g.p.eval.Forward(n)
	return logits, nil, err
}

func (g *gatherer) outputs(digest string) (*Outputs, error) {
	var err error
	if g.out.Logits, err = metrics.Flat(g.p.net.Config.Classes, g.logits); err != nil {
		return nil, fmt.Errorf("logits of %s: %w", g.p.Checkpoint, err)
	}
	if g.want.Features {
		if g.out.Features, err = metrics.Flat(g.p.Features(), g.features); err != nil {
			return nil, fmt.Errorf("features of %s: %w", g.p.Checkpoint, err)
		}
	}
	g.out.Digest = digest
	return &g.out, nil
}
