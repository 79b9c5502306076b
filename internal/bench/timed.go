package bench

import (
	"time"

	"jem/backend"
)

// cost is time spent on floating-point operations (a multiply-add counts two).
type cost struct{ seconds, flop float64 }

// timedDevice is a device that times its convolutions. It waits for each one, which on a
// device that works asynchronously makes the whole slower.
type timedDevice struct {
	backend.Device
	spent cost
}

// take returns what was spent since the last call.
func (d *timedDevice) take() cost {
	c := d.spent
	d.spent = cost{}
	return c
}

// NewConv implements backend.Planner.
func (d *timedDevice) NewConv(spec backend.ConvSpec, w, b backend.Tensor) backend.Conv {
	return &timedConv{Conv: d.Device.NewConv(spec, w, b), device: d}
}

type timedConv struct {
	backend.Conv
	device *timedDevice
}

func (c *timedConv) time(images int, verb func()) {
	start := time.Now()
	verb()
	// An error sticks to the device and is returned by the trainer's own Sync.
	_ = c.device.Sync()
	c.device.spent.seconds += time.Since(start).Seconds()
	c.device.spent.flop += 2 * c.Spec().MACs(images)
}

// Forward implements backend.Conv.
func (c *timedConv) Forward(raw, act, x, residual backend.Tensor) {
	c.time(x.Shape()[0], func() { c.Conv.Forward(raw, act, x, residual) })
}

// InputGrad implements backend.Conv.
func (c *timedConv) InputGrad(dx, dy, act, residual backend.Tensor) {
	c.time(dy.Shape()[0], func() { c.Conv.InputGrad(dx, dy, act, residual) })
}

// ParamGrad implements backend.Conv.
func (c *timedConv) ParamGrad(dw, db, x, dy backend.Tensor) {
	c.time(x.Shape()[0], func() { c.Conv.ParamGrad(dw, db, x, dy) })
}
