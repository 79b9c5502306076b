package optim

import "jem/backend"

// EMA keeps an exponential moving average of parameters, for evaluation and sampling.
type EMA struct {
	Value backend.Tensor // the average, shape of the parameters

	dev   backend.Device
	p     backend.Tensor
	decay float32
	away  backend.Tensor // the parameters while the average stands in for them
}

// NewEMA starts the average at the parameters' present values.
func NewEMA(d backend.Device, p backend.Tensor, decay float32) *EMA {
	n := backend.Len(p)
	e := &EMA{Value: d.New(backend.Dense, n), dev: d, p: p, decay: decay, away: d.New(backend.Dense, n)}
	e.Start()
	return e
}

// Start makes the average the parameters' present values.
func (e *EMA) Start() { e.dev.Copy(e.Value, e.p) }

// Update moves the average after an optimiser step: v ← d·v + (1−d)·p, with the decay d
// limited to (1+t)/(10+t) at step t so that early averages are not dominated by the start.
func (e *EMA) Update(step int) {
	d := min(e.decay, float32(1+step)/float32(10+step))
	e.dev.Lerp(e.Value, e.p, 1-d)
}

// Use puts the average in the parameters' place until the returned function is called.
func (e *EMA) Use() (restore func()) {
	e.dev.Copy(e.away, e.p)
	e.dev.Copy(e.p, e.Value)
	e.dev.ParamsChanged()
	return func() {
		e.dev.Copy(e.p, e.away)
		e.dev.ParamsChanged()
	}
}
