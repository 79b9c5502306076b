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

// Settler is what a Passer that puts calls off must be, too.
type Settler interface {
	// Settled is a call of a pass that has f called, once and on the device's goroutine, when the calls
	// before it have been made for all images: what they have added to, parameter gradients, is there to be
	// downloaded, but no working memory is, and f makes no call that writes. The calls after it may still be to
	// come, so that whoever f hands the sums to works beside them.
	Settled(f func())
}

// Settled has f called as Settler says; at once by devices that put no call off.
func Settled(d Device, f func()) {
	if s, ok := d.(Settler); ok {
		s.Settled(f)
		return
	}
	f()
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
