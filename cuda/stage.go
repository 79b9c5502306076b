//go:build cuda && linux && amd64

package cuda

import (
	"errors"
	"unsafe"

	"jem/cuda/internal/driver"
)

// stage is pinned host memory that everything passes on its way to the card and back, in two
// parts used in turns: while the card copies one, the host fills the other. So a caller's
// memory is free again when Upload returns, and no copy waits for all work.
type stage struct {
	parts [2]part
	next  int
}

type part struct {
	host  unsafe.Pointer
	event driver.Event // after the last copy from it
	made  bool
}

// stageBytes is the size of a part: larger copies go in pieces.
const stageBytes = 4 << 20

func (s *stage) open(ctx *driver.Context) error {
	for i := range s.parts {
		p := &s.parts[i]
		var err error
		if p.host, err = ctx.AllocHost(stageBytes); err != nil {
			return err
		}
		if p.event, err = ctx.NewEvent(); err != nil {
			return err
		}
		p.made = true
	}
	return nil
}

func (s *stage) close(ctx *driver.Context) error {
	var errs []error
	for i := range s.parts {
		p := &s.parts[i]
		if p.made {
			errs = append(errs, p.event.Destroy())
		}
		if p.host != nil {
			errs = append(errs, ctx.FreeHost(p.host))
		}
	}
	return errors.Join(errs...)
}

// take waits until the next part is free again and returns it.
func (s *stage) take() (*part, error) {
	p := &s.parts[s.next]
	s.next = 1 - s.next
	return p, p.event.Wait()
}

// bytesOf views host numbers as bytes.
func bytesOf[T float32 | int32](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*word)
}

// send copies host memory to the card. The caller may reuse src at once.
func (s *stage) send(ctx *driver.Context, dst driver.Pointer, src []byte) error {
	for len(src) > 0 {
		p, err := s.take()
		if err != nil {
			return err
		}
		n := copy(unsafe.Slice((*byte)(p.host), stageBytes), src)
		if err := ctx.CopyIn(dst, p.host, int64(n)); err != nil {
			return err
		}
		if err := ctx.Record(p.event); err != nil {
			return err
		}
		dst, src = dst+driver.Pointer(n), src[n:]
	}
	return nil
}

// fetch copies the card's memory to the host, when all work before is done.
func (s *stage) fetch(ctx *driver.Context, dst []byte, src driver.Pointer) error {
	for len(dst) > 0 {
		p, err := s.take()
		if err != nil {
			return err
		}
		n := min(len(dst), stageBytes)
		if err := ctx.CopyOut(p.host, src, int64(n)); err != nil {
			return err
		}
		if err := ctx.Sync(); err != nil {
			return err
		}
		copy(dst, unsafe.Slice((*byte)(p.host), n))
		dst, src = dst[n:], src+driver.Pointer(n)
	}
	return nil
}
