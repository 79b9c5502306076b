//go:build cuda && linux && amd64

package cuda

import (
	"jem/cuda/internal/driver"
)

// weights are a convolution's parameters as cuDNN wants them: w as K,R,S,C in the storage of
// the images, behind it the bias, float32 always.
type weights struct {
	buf *buffer
	of  uint64 // Device.params when they were made, plus 1
}

// parameters returns the addresses of weights and bias in the given storage, made again where
// parameters changed.
func (c *conv) parameters(op string, held storage) (w, b uintptr) {
	d, k := c.d, &c.weights[held]
	size := (c.w.bytes() + 255) &^ 255 // the bias starts aligned
	if k.buf == nil {
		k.buf = d.allocate(op, size+int64(c.spec.OutC)*word, nil)
	}
	if k.of != d.params+1 {
		k.of = d.params + 1
		c.rewrite(op, k.buf.p, size, held)
	}
	if c.b != nil {
		b = uintptr(k.buf.p) + uintptr(size)
	}
	return uintptr(k.buf.p), b
}

func (c *conv) rewrite(op string, to driver.Pointer, bias int64, held storage) {
	d, taps := c.d, c.w.n/(c.spec.OutC*c.spec.InC)
	d.kernel(op, "to_nhwc", held).ptr(to, c.w.at(), 0, 0).num(c.spec.OutC, c.spec.InC, taps, c.spec.InC).over(c.spec.OutC, taps*c.spec.InC)
	if c.b != nil {
		d.run(op, func() error { return d.ctx.Copy(to+driver.Pointer(bias), c.b.at(), c.b.bytes()) })
	}
}
