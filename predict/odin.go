package predict

import (
	"math"

	"jem/backend"
	"jem/feed"
	"jem/model"
)

// ODIN are the constants of the detector of Liang et al. 2018: the largest softmax
// probability at temperature T, of an image that moved by ε against the gradient of its
// cross-entropy with the predicted class,
//
//	x̃ = x + ε·sign(∂ log max_y p_T(y|x)/∂x),  score = max_y p_T(y|x̃).
type ODIN struct {
	Temperature float64 `json:"temperature"`
	Epsilon     float64 `json:"epsilon"` // in the network's units, pixels in [−1,1]
}

// PublishedODIN are the constants that OpenOOD takes for CIFAR: T = 1000 and ε = 0.0014 of
// pixels in [0,1], twice that in [−1,1]. The authors choose ε on held-out images of the
// other distribution, which nobody has.
var PublishedODIN = ODIN{Temperature: 1000, Epsilon: 0.0028}

// odin moves a batch of images and scores it.
type odin struct {
	ODIN
	p       *Predictor
	dx      backend.Tensor // (feed.EvalBatch,C,H,W)
	scaled  backend.Tensor // logits/T (feed.EvalBatch,K)
	dlogits backend.Tensor
	coef    backend.Tensor // (1,0,−1,0): cross-entropy
	labels  backend.Tensor
	host    []float32
	classes []int32
}

func newODIN(p *Predictor, o ODIN) *odin {
	c, d := p.net.Config, p.dev
	m := &odin{
		ODIN: o, p: p,
		dx:      d.New(backend.Image, feed.EvalBatch, c.InC, c.Size, c.Size),
		scaled:  d.New(backend.Dense, feed.EvalBatch, c.Classes),
		dlogits: d.New(backend.Dense, feed.EvalBatch, c.Classes),
		coef:    d.New(backend.Dense, feed.EvalBatch, 4),
		labels:  d.New(backend.Index, feed.EvalBatch),
		host:    make([]float32, feed.EvalBatch*c.InC*c.Size*c.Size),
		classes: make([]int32, feed.EvalBatch),
	}
	coef := make([]float32, 0, 4*feed.EvalBatch)
	for range feed.EvalBatch {
		coef = append(coef, 1, 0, -1, 0)
	}
	d.Upload(m.coef, coef)
	return m
}

func (m *odin) free() { m.p.dev.Free(m.dx, m.scaled, m.dlogits, m.coef, m.labels) }

// scores moves the n images in the evaluator, whose logits were computed last, and returns
// their scores. Afterwards the evaluator holds the moved images and their logits.
func (m *odin) scores(n int) ([]float64, error) {
	e, d, k := m.p.eval, m.p.dev, m.p.net.Config.Classes
	for i := range n {
		m.classes[i] = int32(model.Argmax(e.logits[i*k : (i+1)*k]))
	}
	rows := func(t backend.Tensor) backend.Tensor { return d.Rows(t, 0, n) }
	d.Fill(rows(m.scaled), 0)
	d.UploadIndex(rows(m.labels), m.classes[:n])
	x := d.Rows(e.x, 0, n)
	backend.Pass(d, func() {
		d.Axpy(rows(m.scaled), float32(1/m.Temperature), m.p.net.Forward(x, model.Mode{}))
		d.LogitGrad(rows(m.dlogits), rows(m.scaled), rows(m.labels), rows(m.coef)) // 1/T is left out: only signs count
		m.p.net.InputGrad(rows(m.dx), rows(m.dlogits))
	})
	dx := m.host[:n*len(m.host)/feed.EvalBatch]
	if err := d.Download(dx, rows(m.dx)); err != nil {
		return nil, err
	}
	eps := float32(m.Epsilon)
	for i, g := range dx {
		switch {
		case g > 0:
			e.Images[i] -= eps
		case g < 0:
			e.Images[i] += eps
		}
	}
	logits, err := e.Forward(n)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, n)
	for i := range scores {
		scores[i] = MaxProbability(logits[i*k:(i+1)*k], m.Temperature)
	}
	return scores, nil
}

// MaxProbability is max_y p(y|x) of logits divided by a temperature.
func MaxProbability[T float32 | float64](logits []T, temperature float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range logits {
		top = max(top, float64(v))
	}
	for _, v := range logits {
		sum += math.Exp((float64(v) - top) / temperature)
	}
	return 1 / sum
}
