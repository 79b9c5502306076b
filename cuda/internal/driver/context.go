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

	thread *thread
	ctx    cu.CUContext
	stream cu.Stream
}

// Open makes a context on the card with the given ordinal.
func Open(ordinal int) (*Context, error) {
	c := &Context{thread: newThread()}
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
	dev, err := cu.GetDevice(ordinal)
	if err != nil {
		return describe("cuDeviceGet", err)
	}
	if c.Card, err = card(dev); err != nil {
		return err
	}
	if c.ctx, err = dev.MakeContext(cu.SchedAuto); err != nil {
		return describe("cuCtxCreate", err)
	}
	// Work of the default stream would wait for ours and ours for it: a non-blocking stream doesn't.
	if c.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return errors.Join(describe("cuStreamCreate", err), c.ctx.Destroy())
	}
	return nil
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
		return errors.Join(describe("cuStreamDestroy", c.stream.Destroy()), describe("cuCtxDestroy", c.ctx.Destroy()))
	})
	c.thread.close()
	return err
}

// Sync waits for all work on the stream.
func (c *Context) Sync() error { return describe("cuStreamSynchronize", c.stream.Synchronize()) }
