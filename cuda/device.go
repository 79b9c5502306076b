//go:build cuda && linux && amd64

package cuda

import (
	"errors"
	"fmt"

	"jem/backend"
	"jem/backend/philox"
	"jem/cuda/internal/dnn"
	"jem/cuda/internal/driver"
)

// Device is a GPU as backend.Device, backend.Chainer, backend.Chooser, backend.Windower and
// backend.Addresser.
type Device struct {
	opt     Options
	ctx     *driver.Context
	handle  *dnn.Handle
	kernels map[entry]*kernel
	call    call // the launch being made
	inner   call // a conversion of its operands
	stage   stage
	scratch [slots]scratch
	limits  dnn.Limits
	low     dnn.Precision // precision of convolutions in its scope

	buffers map[*buffer]struct{} // allocated and not freed
	inUse   int64                // bytes of those
	params  uint64               // counts ParamsChanged; convolutions redo their weights when it moved
	moves   uint64               // counts the times that shared memory moved; captured graphs are redone
	convs   []*conv
	asked   map[string]string   // of UseChoices
	chains  map[*chain]struct{} // planned and not closed
	chain   *chain              // being run; nil outside chains
	err     error               // the first, which sticks
}

// Open returns the card as a device.
func Open(o Options) (backend.Device, error) {
	o, err := o.normal()
	if err != nil {
		return nil, fmt.Errorf("open cuda: %w", err)
	}
	ctx, err := driver.Open(o.Ordinal, o.Shared)
	if err != nil {
		return nil, &Error{Op: "open", Memory: outOfMemory(err), Err: err}
	}
	d := &Device{opt: o, ctx: ctx, buffers: map[*buffer]struct{}{}, chains: map[*chain]struct{}{}}
	d.limits = dnn.Limits{Workspace: int64(o.WorkspaceLimit) << 20, AnyOrder: o.AnyOrder}
	d.low = map[string]dnn.Precision{"fp32": dnn.FP32, "tf32": dnn.TF32, "bf16": dnn.BF16}[o.Precision]
	d.call.init(d)
	d.inner.init(d)
	err = ctx.Do(func() error {
		if d.handle, err = dnn.Open(ctx.Stream()); err != nil {
			return err
		}
		if err := d.stage.open(ctx); err != nil {
			return err
		}
		d.kernels, err = loadKernels(ctx)
		return err
	})
	if err != nil {
		return nil, &Error{Op: "open", Memory: outOfMemory(err), Err: errors.Join(err, d.Close())}
	}
	return d, nil
}

// Name implements backend.Device.
func (d *Device) Name() string {
	precision := d.opt.Precision
	if d.low != dnn.FP32 && d.opt.Scope == "chain" {
		precision += " chains"
	}
	return fmt.Sprintf("cuda (%s, sm_%d%d, %s)", d.ctx.Card.Name, d.ctx.Card.Major, d.ctx.Card.Minor, precision)
}

// Info implements backend.Device.
func (d *Device) Info() backend.Info {
	c := d.ctx.Card
	isa := fmt.Sprintf("sm_%d%d, driver for CUDA %d.%d, cuDNN %s", c.Major, c.Minor, c.Driver/1000, c.Driver%1000/10, dnn.Version())
	return backend.Info{Kind: "cuda", Model: c.Name, ISA: isa}
}

// Close implements backend.Device.
func (d *Device) Close() error {
	if d.ctx == nil {
		return nil
	}
	for c := range d.chains {
		c.Close()
	}
	err := d.ctx.Do(func() error {
		for _, c := range d.convs {
			c.destroy()
		}
		errs := []error{d.stage.close(d.ctx)}
		for b := range d.buffers {
			errs = append(errs, d.ctx.Free(b.p))
		}
		if d.handle != nil {
			errs = append(errs, d.handle.Close())
		}
		return errors.Join(errs...)
	})
	err = errors.Join(err, d.ctx.Close())
	d.ctx = nil
	if err == nil || d.err != nil {
		return nil // told already; giving back what a dead context held must fail
	}
	return &Error{Op: "close", Memory: outOfMemory(err), Err: err}
}

// run makes calls on the device's thread, on behalf of the verb op, unless an error sticks or the
// device is closed.
func (d *Device) run(op string, calls func() error) {
	if d.err == nil && d.ctx != nil {
		d.fail(op, d.ctx.Do(calls))
	}
}

// fail keeps the first error.
func (d *Device) fail(op string, err error) {
	if err != nil && d.err == nil {
		d.err = &Error{Op: op, Memory: outOfMemory(err), Err: err}
	}
}

func outOfMemory(err error) bool {
	var refused interface{ OutOfMemory() bool }
	return errors.As(err, &refused) && refused.OutOfMemory()
}

// ParamsChanged implements backend.Planner.
func (d *Device) ParamsChanged() { d.params++ }

// precision is that of convolutions now.
func (d *Device) precision() dnn.Precision {
	if d.chain != nil || d.opt.Scope == "all" {
		return d.low
	}
	return dnn.FP32
}

// streamKey is the key as the kernels take it: seed, step, sub, first and, within a captured chain,
// the address of the chain's key, from which sub and first are then counted.
func (d *Device) streamKey(key philox.Key) (k philox.Key, at driver.Pointer) {
	if d.chain == nil || !d.chain.capturing {
		return key, 0
	}
	base := d.chain.base
	if key.Seed != base.Seed || key.Step != base.Step {
		panic(fmt.Sprintf("backend: Chain: a step draws from key %+v, which is not of the chain's %+v", key, base))
	}
	key.Sub -= base.Sub
	key.First -= base.First
	return key, d.chain.key.p
}
