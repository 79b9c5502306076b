//go:build cuda && linux && amd64

package cuda

import (
	"jem/backend"
	"jem/backend/philox"
)

// Uniform implements backend.Random.
func (d *Device) Uniform(dst backend.Tensor, key philox.Key, lo, hi float32) {
	d.fillStream("Uniform", "uniform", dst, key, lo, hi-lo)
}

// Normal implements backend.Random.
func (d *Device) Normal(dst backend.Tensor, key philox.Key, mean, std float32) {
	d.fillStream("Normal", "normal", dst, key, mean, std)
}

func (d *Device) fillStream(op, family string, dst backend.Tensor, key philox.Key, a, b float32) {
	t := ours(op, dst)
	c, hw := t.logical()
	to := d.write(op, t)
	d.kernel(op, family, single).ptr(to).num(t.n, c, hw).float(a, b).stream(key).over(t.n, c, hw)
}
