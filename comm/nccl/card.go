//go:build cuda && linux && amd64

package nccl

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"

	"jem/comm"
	"jem/comm/launch"
)

// card is this rank's: its primary context, in which NCCL works, a stream, and memory through which the host's numbers
// pass. The calls are the driver's, whose library is in the program already where it has the device.
type card struct {
	calls    map[string]uintptr
	device   int32
	ordinal  int // as the driver counts
	retained bool
	context  uintptr
	stream   uintptr
	passed   uintptr // event behind what was last put on the stream

	here, all uintptr // on the card, stageBytes each: this rank's, and everyone's
	in, out   unsafe.Pointer

	word uint64 // what functions answer in
}

// stageBytes is how many bytes pass at once.
const stageBytes = 4 << 20

var driverCalls = []string{"cuInit", "cuDeviceGetCount", "cuDeviceGet", "cuDevicePrimaryCtxRetain", "cuDevicePrimaryCtxRelease_v2", "cuCtxPushCurrent_v2",
	"cuCtxPopCurrent_v2", "cuCtxSetCurrent", "cuStreamCreate", "cuStreamDestroy_v2", "cuStreamWaitEvent", "cuEventCreate", "cuEventDestroy_v2", "cuEventRecord", "cuEventQuery",
	"cuMemAlloc_v2", "cuMemFree_v2", "cuMemHostAlloc", "cuMemFreeHost", "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuGetErrorName", "cuGetErrorString"}

// Constants of cuda.h.
const (
	streamNonBlocking  = 1
	eventWithoutTiming = 2
	notReady           = 600
)

var errDriver = errors.New("CUDA")

func openDriver() (*card, error) {
	handle, err := purego.Dlopen("libcuda.so.1", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	c := &card{}
	if err == nil {
		c.calls, err = symbols(handle, driverCalls)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: no driver: %w", errDriver, err)
	}
	return c, c.call("cuInit", 0)
}

// count is the number of cards that the driver shows to this process.
func (c *card) count() (int, error) {
	err := c.call("cuDeviceGetCount", pointer(&c.word))
	return int(int32(c.word)), err
}

// of is the card of a rank.
func (c *card) of(place launch.Place) (int, error) {
	n, err := c.count()
	if err != nil {
		return 0, err
	}
	visible, set := os.LookupEnv("CUDA_VISIBLE_DEVICES")
	return choose(place.LocalRank, place.LocalSize, n, visible, set)
}

// choose is the card of a rank: among several the one with its number on the machine; the only one where the launcher
// shows each rank its own. Errors are *comm.SetupError: fewer cards than ranks.
func choose(local, size, cards int, visible string, set bool) (int, error) {
	switch {
	case local < cards && (cards > 1 || size < 2):
		return local, nil
	case cards == 1 && set:
		return 0, nil
	}
	seen := fmt.Sprintf("this machine has %d", cards)
	if set {
		seen += fmt.Sprintf(" in CUDA_VISIBLE_DEVICES=%s", visible)
	}
	return 0, &comm.SetupError{Reason: fmt.Sprintf("each rank has a card of its own, and %s for rank %d of %d here: start as many ranks on it as it has cards, or set CUDA_VISIBLE_DEVICES for each", seen, local, max(size, local+1))}
}

// call calls a function of the driver.
func (c *card) call(name string, args ...uintptr) error {
	if code := c.try(name, args...); code != 0 {
		return fmt.Errorf("%w: %s: %s (%d)", errDriver, name, c.text(code), code)
	}
	return nil
}

func (c *card) try(name string, args ...uintptr) int32 {
	r, _, _ := purego.SyscallN(c.calls[name], args...)
	return int32(r)
}

func (c *card) text(code int32) string {
	at := inHeap()
	c.try("cuGetErrorName", uintptr(code), pointer(at))
	name := text(*at)
	*at = 0
	c.try("cuGetErrorString", uintptr(code), pointer(at))
	return name + ", " + text(*at)
}

var kept atomic.Pointer[uintptr]

// inHeap is a word that is no part of a stack, which moves.
func inHeap() *uintptr {
	p := new(uintptr)
	kept.Store(p)
	return p
}

// open takes the primary context of a rank's card, on the calling thread, and what is needed in it.
func (c *card) open(place launch.Place) (err error) {
	if c.ordinal, err = c.of(place); err != nil {
		return err
	}
	if err := c.call("cuDeviceGet", pointer(&c.device), uintptr(c.ordinal)); err != nil {
		return err
	}
	if err := c.call("cuDevicePrimaryCtxRetain", pointer(&c.context), uintptr(c.device)); err != nil {
		return err
	}
	c.retained = true
	return errors.Join(c.call("cuCtxSetCurrent", c.context),
		c.call("cuStreamCreate", pointer(&c.stream), streamNonBlocking),
		c.call("cuEventCreate", pointer(&c.passed), eventWithoutTiming),
		c.call("cuMemAlloc_v2", pointer(&c.here), stageBytes),
		c.call("cuMemAlloc_v2", pointer(&c.all), stageBytes),
		c.call("cuMemHostAlloc", pointer(&c.in), stageBytes, 0),
		c.call("cuMemHostAlloc", pointer(&c.out), stageBytes, 0))
}

// close gives everything back.
func (c *card) close() error {
	if !c.retained {
		return nil
	}
	var errs []error
	for _, give := range []struct {
		name string
		what uintptr
	}{{"cuMemFree_v2", c.here}, {"cuMemFree_v2", c.all}, {"cuMemFreeHost", uintptr(c.in)}, {"cuMemFreeHost", uintptr(c.out)},
		{"cuEventDestroy_v2", c.passed}, {"cuStreamDestroy_v2", c.stream}} {
		if give.what != 0 {
			errs = append(errs, c.call(give.name, give.what))
		}
	}
	c.retained = false
	return errors.Join(append(errs, c.call("cuCtxSetCurrent", 0), c.call("cuDevicePrimaryCtxRelease_v2", uintptr(c.device)))...)
}

// send copies so many bytes to the card, of data where there are so many, by way of memory that stays as it is until the
// copy is made.
func (c *card) send(data []byte, bytes int) error {
	copy(unsafe.Slice((*byte)(c.in), stageBytes), data)
	return c.call("cuMemcpyHtoDAsync_v2", c.here, uintptr(c.in), uintptr(bytes), c.stream)
}

// fetch begins to copy from the card; got has it when the stream is past it.
func (c *card) fetch(from uintptr, bytes int) error {
	return c.call("cuMemcpyDtoHAsync_v2", uintptr(c.out), from, uintptr(bytes), c.stream)
}

func (c *card) got(bytes int) []byte { return unsafe.Slice((*byte)(c.out), stageBytes)[:bytes] }

// mark takes note of what is on the stream.
func (c *card) mark() error { return c.call("cuEventRecord", c.passed, c.stream) }

// past reports whether all is done that was on the stream when mark was called.
func (c *card) past() (bool, error) {
	code := c.try("cuEventQuery", c.passed)
	if code == 0 || code == notReady {
		return code == 0, nil
	}
	return false, fmt.Errorf("%w: cuEventQuery: %s (%d)", errDriver, c.text(code), code)
}
