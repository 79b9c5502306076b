//go:build cuda && linux && amd64

package nccl

import (
	"errors"
	"runtime"

	"jem/comm"
)

// SumOn implements comm.CardSummer.
func (e *engine) SumOn(stream, address uintptr, n int) comm.Pending {
	if n == 0 {
		return comm.Done{}
	}
	before, err := e.card.behind(stream)
	if err != nil {
		return comm.Done{Err: e.fault("sum on the card", 0, err)}
	}
	return e.start(&operation{name: "sum on the card",
		begin: func(piece int) (bool, error) {
			if piece > 0 {
				return false, e.card.call("cuEventDestroy_v2", before)
			}
			if err := e.card.call("cuStreamWaitEvent", e.card.stream, before, 0); err != nil {
				return false, err
			}
			return true, e.lib.call(e.comm, "ncclAllReduce", address, address, uintptr(n), typeFloat32, operatorSum, e.comm, e.card.stream)
		}})
}

// behind is an event behind all work of a stream, made at once by whichever thread asks.
func (c *card) behind(stream uintptr) (uintptr, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	event, popped := inHeap(), inHeap()
	defer runtime.KeepAlive(popped)
	if err := c.call("cuCtxPushCurrent_v2", c.context); err != nil {
		return 0, err
	}
	err := c.call("cuEventCreate", pointer(event), eventWithoutTiming)
	if err == nil {
		err = c.call("cuEventRecord", *event, stream)
	}
	return *event, errors.Join(err, c.call("cuCtxPopCurrent_v2", pointer(popped)))
}
