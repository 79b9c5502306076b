//go:build cuda && linux && amd64

package driver

import (
	"errors"
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
)

// Pointer is an address in the card's memory; 0 is none.
type Pointer uintptr

// Card describes a GPU.
type Card struct {
	Name         string
	Major, Minor int   // compute capability
	Memory       int64 // bytes in all
	Driver       int   // CUDA version that the driver offers, 1000·major + 10·minor
}

// Context is a card's context with one stream. Its methods but Do and Close must be called
// inside Do.
type Context struct {
	Card Card

	thread  *thread
	device  cu.Device
	primary bool // ctx is the card's own
	ctx     cu.CUContext
	stream  cu.Stream
}

// Open makes a context on the card with the given ordinal, or takes the card's primary one, which it shares with
// whatever else in the process works with that.
func Open(ordinal int, primary bool) (*Context, error) {
	c := &Context{thread: newThread(), primary: primary}
	if err := c.Do(func() error { return c.open(ordinal) }); err != nil {
		c.thread.close()
		return nil, err
	}
	return c, nil
}

func (c *Context) open(ordinal int) error {
	n, err := cu.NumDevices()
	if err != nil {
		return describe("cuDeviceGetCount", err)
	}
	if ordinal < 0 || ordinal >= n {
		return fmt.Errorf("there is no card %d: the driver sees %d", ordinal, n)
	}
	if c.device, err = cu.GetDevice(ordinal); err != nil {
		return describe("cuDeviceGet", err)
	}
	if c.Card, err = card(c.device); err != nil {
		return err
	}
	if err := c.enter(); err != nil {
		return err
	}
	// Work of the default stream would wait for ours and ours for it: a non-blocking stream doesn't.
	if c.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return errors.Join(describe("cuStreamCreate", err), c.leave())
	}
	return nil
}

// enter makes the context the thread's current one.
func (c *Context) enter() (err error) {
	if !c.primary {
		c.ctx, err = c.device.MakeContext(cu.SchedAuto)
		return describe("cuCtxCreate", err)
	}
	if c.ctx, err = c.device.RetainPrimaryCtx(); err != nil {
		return describe("cuDevicePrimaryCtxRetain", err)
	}
	if err := cu.SetCurrentContext(c.ctx); err != nil {
		return errors.Join(describe("cuCtxSetCurrent", err), c.leave())
	}
	return nil
}

func (c *Context) leave() error {
	if c.primary {
		return describe("cuDevicePrimaryCtxRelease", c.device.ReleasePrimaryCtx())
	}
	return describe("cuCtxDestroy", c.ctx.Destroy())
}

func card(dev cu.Device) (Card, error) {
	name, err := dev.Name()
	if err != nil {
		return Card{}, describe("cuDeviceGetName", err)
	}
	bytes, err := dev.TotalMem()
	if err != nil {
		return Card{}, describe("cuDeviceTotalMem", err)
	}
	major, err := dev.Attribute(cu.ComputeCapabilityMajor)
	if err != nil {
		return Card{}, describe("cuDeviceGetAttribute", err)
	}
	minor, err := dev.Attribute(cu.ComputeCapabilityMinor)
	if err != nil {
		return Card{}, describe("cuDeviceGetAttribute", err)
	}
	return Card{Name: name, Major: major, Minor: minor, Memory: bytes, Driver: cu.Version()}, nil
}

// Do makes the call on the context's thread and waits for it to return.
func (c *Context) Do(f func() error) error { return c.thread.do(f) }

// Stream is the stream's address, for libraries.
func (c *Context) Stream() unsafe.Pointer { return unsafe.Pointer(c.stream.C()) }

// Close gives the context back and with it all memory, and ends the thread.
func (c *Context) Close() error {
	err := c.Do(func() error {
		return errors.Join(describe("cuStreamDestroy", c.stream.Destroy()), c.leave())
	})
	c.thread.close()
	return err
}

// Sync waits for all work on the stream.
func (c *Context) Sync() error { return describe("cuStreamSynchronize", c.stream.Synchronize()) }
