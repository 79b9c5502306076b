//go:build cuda && linux && amd64

package driver

import (
	"unsafe"

	"gorgonia.org/cu"
)

// Alloc returns bytes of the card's memory with any content.
func (c *Context) Alloc(bytes int64) (Pointer, error) {
	p, err := cu.MemAlloc(bytes)
	return Pointer(p), describe("cuMemAlloc", err)
}

// Free gives memory back. The driver waits for work that uses it.
func (c *Context) Free(p Pointer) error { return describe("cuMemFree", cu.MemFree(cu.DevicePtr(p))) }

// Memory tells how many bytes are free, and how many there are.
func (c *Context) Memory() (free, total int64, err error) {
	free, total, err = cu.MemInfo()
	return free, total, describe("cuMemGetInfo", err)
}

// Zero clears memory, in the stream's order as all that follows.
func (c *Context) Zero(p Pointer, bytes int64) error {
	return describe("cuMemsetD8Async", cu.MemsetD8Async(cu.DevicePtr(p), 0, bytes, c.stream))
}

// CopyIn copies from host memory that must stay as it is until the copy is done (see Event):
// memory from AllocHost, never Go's.
func (c *Context) CopyIn(dst Pointer, src unsafe.Pointer, bytes int64) error {
	return describe("cuMemcpyHtoDAsync", cu.MemcpyHtoDAsync(cu.DevicePtr(dst), src, bytes, c.stream))
}

// CopyOut copies to host memory from AllocHost, which holds it after Sync.
func (c *Context) CopyOut(dst unsafe.Pointer, src Pointer, bytes int64) error {
	return describe("cuMemcpyDtoHAsync", cu.MemcpyDtoHAsync(dst, cu.DevicePtr(src), bytes, c.stream))
}

// Copy copies within the card.
func (c *Context) Copy(dst, src Pointer, bytes int64) error {
	return describe("cuMemcpyDtoDAsync", cu.MemcpyDtoDAsync(cu.DevicePtr(dst), cu.DevicePtr(src), bytes, c.stream))
}

// Event marks a point in the stream's work.
type Event struct{ event cu.Event }

// NewEvent makes an event, which counts as passed until it is recorded.
func (c *Context) NewEvent() (Event, error) {
	e, err := cu.MakeEvent(cu.DisableTiming)
	return Event{e}, describe("cuEventCreate", err)
}

// Record puts the event behind all work so far.
func (c *Context) Record(e Event) error {
	return describe("cuEventRecord", e.event.Record(c.stream))
}

// Wait waits until the event is passed.
func (e Event) Wait() error { return describe("cuEventSynchronize", e.event.Synchronize()) }

// Destroy gives the event back.
func (e *Event) Destroy() error { return describe("cuEventDestroy", cu.DestroyEvent(&e.event)) }
