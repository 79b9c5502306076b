package cpu

import "jem/backend"

// GatherRows implements backend.Update.
func (d *Device) GatherRows(dst, src, rows backend.Tensor) {
	d.now()
	r := d.selected("GatherRows", dst, src, rows)
	d.load(r)
}

// ScatterRows implements backend.Update.
func (d *Device) ScatterRows(dst, src, rows backend.Tensor) {
	d.now()
	r := d.selected("ScatterRows", src, dst, rows)
	// A part is one plane of all rows, in order: of repeated rows the last wins.
	r.op = func(t *transfer, _, b int) {
		for i := range t.n {
			t.store(i, b)
		}
	}
	d.workers.run(r.g.blocks, r)
}

// selected prepares the transfer between samples and the named rows of a Dense tensor.
func (d *Device) selected(op string, samples, store, rows backend.Tensor) *transfer {
	index := rows.(*tensor).index
	n, b := samples.Shape()[0], store.Shape()[0]
	if store.Kind() != backend.Dense || len(index) != n || backend.Len(samples)/n != backend.Len(store)/b {
		backend.Mismatch(op, samples, store, rows)
	}
	for _, row := range index {
		if row < 0 || int(row) >= b {
			backend.Mismatch(op, samples, store, rows)
		}
	}
	r := d.prepare(op, samples, floats(op, store))
	r.rows = index
	return r
}
