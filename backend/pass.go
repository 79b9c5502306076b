package backend

// Passer is what a device may offer besides Device: it takes the calls of a pass, of a batch
// through a network and back, as a whole, so that it need not finish one layer for all
// images before it begins the next. Pass and NewWorking serve any device.
type Passer interface {
	// Pass makes the calls that f makes, in any order that has the same results, and
	// returns when f has returned; like any verb it waits for nothing that it need not. f
	// doesn't wait, either: no Sync, no Download. A pass within a pass or a chain belongs
	// to that.
	Pass(f func())
	// NewWorking is Memory.New of working memory: what a pass or a chain has written there is
	// undefined when it is over, as is what a Norm remembers of its last Forward. Written outside
	// of both, it is a tensor like any other.
	NewWorking(kind Kind, shape ...int) Tensor
}

// Pass makes the calls of f: as one where the device can, else one by one.
func Pass(d Device, f func()) {
	if p, ok := d.(Passer); ok {
		p.Pass(f)
		return
	}
	f()
}

// NewWorking returns working memory for passes and chains, see Passer.
func NewWorking(d Device, kind Kind, shape ...int) Tensor {
	if p, ok := d.(Passer); ok {
		return p.NewWorking(kind, shape...)
	}
	return d.New(kind, shape...)
}
