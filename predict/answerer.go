package predict

import (
	"jem/backend"
	"jem/model"
)

// Asked says what an Answerer is asked for besides logits and log p(x). Mass and Gradient take a backward
// pass, some two forward passes' time; features are there anyway.
type Asked struct {
	Mass     bool // −‖∂log p(x)/∂x‖₂
	Gradient bool // ∂log p(x)/∂x itself, which brings the mass with it
	Features bool // the inputs of the linear layer
}

// Backward reports whether it takes a backward pass.
func (a Asked) Backward() bool { return a.Mass || a.Gradient }

// Or is what either asks for.
func (a Asked) Or(b Asked) Asked {
	return Asked{a.Mass || b.Mass, a.Gradient || b.Gradient, a.Features || b.Features}
}

// Answers are what a network says of n images, a row an image. They are the Answerer's, whose next call
// overwrites them.
type Answers struct {
	Logits   []float32 // (n,K)
	LogPx    []float32 // (n) log p(x) + log Z = LogSumExp f(x)
	Mass     []float32 // (n) approximate mass, as in Scores; nil unless asked for
	Gradient []float32 // (n,C,H,W) of log p(x), x in [−1,1]; nil unless asked for
	Features []float32 // (n,F); nil unless asked for
}

// Answerer answers batch after batch of images without allocating: for whoever serves. Its images and its
// memory are its own, so that what else the network does between two batches doesn't matter. It belongs to
// the device's goroutine.
//
// An image's answers are those of Predictor.Score to the bit, whatever batch it is in.
type Answerer struct {
	Images []float32 // (Rows,C,H,W) in [−1,1], for callers to fill

	p        *Predictor
	rows     int
	x        backend.Tensor // (rows,C,H,W)
	back     *responder     // nil until a gradient is asked for
	planned  map[int]*answering
	out      Answers // of a whole batch
	pixels   int     // of an image
	features int
}

// answering is the work on one number of images: that of a forward pass, and of one there and back.
type answering struct{ forward, both *answerPass }

// answerPass is a planned pass with what it leaves on the device.
type answerPass struct {
	backend.Repeated
	x, dx, norm      backend.Tensor
	logits, features backend.Tensor // the network's, known when it has run
}

// NewAnswerer makes room for as many images as the network is planned for.
func NewAnswerer(p *Predictor) *Answerer {
	c, rows := p.net.Config, p.eval.rows
	a := &Answerer{p: p, rows: rows, planned: map[int]*answering{}, pixels: c.InC * c.Size * c.Size, features: p.Features()}
	a.x = p.dev.New(backend.Image, rows, c.InC, c.Size, c.Size)
	a.Images = make([]float32, rows*a.pixels)
	a.out = Answers{Logits: make([]float32, rows*c.Classes), LogPx: make([]float32, rows)}
	return a
}

// Rows is how many images it takes at once, at most.
func (a *Answerer) Rows() int { return a.rows }

// Close gives the device's memory back.
func (a *Answerer) Close() {
	for _, n := range a.planned {
		for _, p := range []*answerPass{n.forward, n.both} {
			if p != nil {
				p.Close()
			}
		}
	}
	clear(a.planned)
	a.p.dev.Free(a.x)
	if a.back != nil {
		a.back.free()
	}
}

// Answer says what is asked of the first n of Images, 1 ≤ n ≤ Rows. The error is the device's.
func (a *Answerer) Answer(n int, asked Asked) (out Answers, err error) {
	d := a.p.dev
	p := a.plan(n, asked.Backward())
	d.Upload(p.x, a.Images[:n*a.pixels])
	p.Run()
	out.Logits, out.LogPx = a.out.Logits[:n*a.p.net.Config.Classes], a.out.LogPx[:n]
	if err := d.Download(out.Logits, p.logits); err != nil {
		return out, err
	}
	for i, k := 0, a.p.net.Config.Classes; i < n; i++ {
		out.LogPx[i] = float32(model.LogSumExp(out.Logits[i*k : (i+1)*k]))
	}
	if asked.Features {
		out.Features = room(&a.out.Features, a.rows, a.features)[:n*a.features]
		if err := d.Download(out.Features, p.features); err != nil {
			return out, err
		}
	}
	if asked.Backward() {
		return out, a.slopes(&out, p, n, asked)
	}
	return out, nil
}

// slopes adds what a backward pass brings.
func (a *Answerer) slopes(out *Answers, p *answerPass, n int, asked Asked) error {
	out.Mass = room(&a.out.Mass, a.rows, 1)[:n]
	if err := a.p.dev.Download(out.Mass, p.norm); err != nil {
		return err
	}
	for i, norm := range out.Mass {
		out.Mass[i] = -norm
	}
	if !asked.Gradient {
		return nil
	}
	out.Gradient = room(&a.out.Gradient, a.rows, a.pixels)[:n*a.pixels]
	return a.p.dev.Download(out.Gradient, p.dx)
}

// room is host memory for so many rows, made on first use.
func room(to *[]float32, rows, row int) []float32 {
	if *to == nil {
		*to = make([]float32, rows*row)
	}
	return *to
}

// plan is the pass for n images, made on first use.
func (a *Answerer) plan(n int, backward bool) *answerPass {
	w, ok := a.planned[n]
	if !ok {
		w = &answering{}
		a.planned[n] = w
	}
	which := &w.forward
	if backward {
		which = &w.both
	}
	if *which == nil {
		*which = a.newPass(n, backward)
	}
	return *which
}

func (a *Answerer) newPass(n int, backward bool) *answerPass {
	d, net := a.p.dev, a.p.net
	p := &answerPass{x: d.Rows(a.x, 0, n)}
	if !backward {
		p.Repeated = backend.NewRepeated(d, func() {
			p.logits = net.Forward(p.x, model.Mode{})
			p.features = net.Features()
		})
		return p
	}
	if a.back == nil {
		a.back = newResponder(d, net, a.rows)
	}
	p.dx, p.norm = a.back.first(n)
	p.Repeated = backend.NewRepeated(d, func() {
		p.logits = a.back.pass(p.x)
		p.features = net.Features()
	})
	return p
}
