package backend

// Repeater is what a device may offer besides Device: it remembers the calls of a pass, so that whoever
// makes the same pass over and over, a service, has them thought over once. NewRepeated serves any device.
type Repeater interface {
	// NewRepeated plans a pass that is made again and again. Of f the device may rely on what it may of
	// the step of a chain, but for the key, of which there is none: it makes the same calls on the same tensors every time,
	// waits for nothing and changes no parameters. New and plans may come in the first Run alone.
	NewRepeated(f func()) Repeated
}

// Repeated is a planned pass. It belongs to its device's goroutine and ends with the device.
type Repeated interface {
	// Run makes the pass as Passer says. It allocates nothing once it has run twice.
	Run()
	// Close gives back what the plan took. The tensors stay.
	Close()
}

// NewRepeated plans a pass on a device: with the device's own means where it has some, else it is made
// anew each time.
func NewRepeated(d Device, f func()) Repeated {
	if r, ok := d.(Repeater); ok {
		return r.NewRepeated(f)
	}
	return plainRepeated{d, f}
}

type plainRepeated struct {
	d Device
	f func()
}

// Run implements Repeated.
func (r plainRepeated) Run() { Pass(r.d, r.f) }

// Close implements Repeated.
func (r plainRepeated) Close() {}
