package cpu

import "jem/backend"

// repeated is the device's backend.Repeated: a pass that is recorded in the first run.
type repeated struct {
	d       *Device
	f       func()
	program *program
	plain   bool // a call can't be put off
}

// NewRepeated implements backend.Repeater.
func (d *Device) NewRepeated(f func()) backend.Repeated { return &repeated{d: d, f: f} }

// Run implements backend.Repeated.
func (r *repeated) Run() {
	d := r.d
	if r.plain || d.recording != nil {
		r.f()
		return
	}
	if r.program == nil {
		calls := d.record(r.f)
		if r.plain = len(calls) == 0; r.plain {
			return
		}
		r.program = d.compile(calls)
	}
	r.program.run(replay{})
}

// Close implements backend.Repeated.
func (r *repeated) Close() { r.program = nil }
