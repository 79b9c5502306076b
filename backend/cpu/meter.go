package cpu

import (
	"maps"

	"jem/backend"
)

// meter counts bytes of memory in use. The device has one for tensors and plans' own
// memory, the scratch memory another; the small change (descriptors, statistics of norms)
// isn't counted.
type meter struct {
	now, peak int64
	// rehearsal counts without allocating, for plans that are never run.
	rehearsal bool
}

func (m *meter) add(bytes int) {
	m.now += int64(bytes)
	m.peak = max(m.peak, m.now)
}

// alloc is aligned with the meter running; nil in a rehearsal.
func (d *Device) alloc(n int) []float32 {
	d.meter.add(4 * n)
	if d.meter.rehearsal {
		return nil
	}
	return d.scratch.hoard.take(n)
}

// InUse implements backend.Sizer.
func (d *Device) InUse() (now, peak int64) {
	s := d.scratch.meter.now // it never shrinks
	return d.meter.now + s, d.meter.peak + s
}

// TensorSize implements backend.Sizer.
func (d *Device) TensorSize(kind backend.Kind, shape ...int) int64 {
	if kind == backend.Image {
		g := newGeometry(shape[1], shape[2], shape[3])
		return 4 * (int64(shape[0])*int64(g.image) + int64(g.tail))
	}
	bytes := int64(4)
	for _, n := range shape {
		bytes *= int64(n)
	}
	return bytes
}

// ConvSize implements backend.Sizer. It rehearses the plan with the algorithms that are
// asked for or have been chosen for such a layer, else with the usual ones.
func (d *Device) ConvSize(spec backend.ConvSpec) (own, shared int64) {
	r := &Device{isa: d.isa, convAlgo: d.convAlgo, low: d.low, workers: &workers{n: d.workers.n}, meter: meter{rehearsal: true}}
	r.choices.asked, r.choices.made = d.choices.asked, maps.Clone(d.choices.made)
	r.scratch = &scratch{worker: make([][]float32, d.workers.n), meter: meter{rehearsal: true}}
	r.newConv(spec, &tensor{}, nil)
	return r.meter.now, r.scratch.meter.now
}
