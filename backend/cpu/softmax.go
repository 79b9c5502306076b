package cpu

import (
	"math"

	"jem/backend"
)

// LogSumExp implements backend.Head.
func (d *Device) LogSumExp(lse, logits backend.Tensor) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.LogSumExp(t[0], t[1]) }, out(lse), in(logits))
		return
	}
	s := logits.Shape()
	if logits.Kind() != backend.Dense || len(s) != 2 || !isVector(lse, s[0]) {
		backend.Mismatch("LogSumExp", lse, logits)
	}
	d.runRows(s[0], rowwise{
		dst: floats("LogSumExp", lse), a: floats("LogSumExp", logits), outs: s[1],
		op: func(r *rowwise, n int) {
			top, sum := expSum(r.a[n*r.outs:][:r.outs])
			r.dst[n] = float32(top + math.Log(sum))
		},
	})
}

// expSum returns m = max x and Σ exp(x − m) ≥ 1, so that LogSumExp = m + log of the sum
// overflows for no finite x.
func expSum(x []float32) (top, sum float64) {
	top = float64(most(x))
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	return top, sum
}

func most(x []float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		m = max(m, v)
	}
	return m
}

// LogitGrad implements backend.Head.
func (d *Device) LogitGrad(dlogits, logits, labels, coef backend.Tensor) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.LogitGrad(t[0], t[1], t[2], t[3]) }, out(dlogits), in(logits), in(labels), in(coef))
		return
	}
	backend.SameShape("LogitGrad", dlogits, logits)
	s, cs := logits.Shape(), coef.Shape()
	r := rowwise{op: (*rowwise).logitGrad}
	if labels != nil {
		r.labels = labels.(*tensor).index
	}
	if logits.Kind() != backend.Dense || len(s) != 2 ||
		coef.Kind() != backend.Dense || len(cs) != 2 || cs[0] != s[0] || cs[1] != 4 ||
		labels != nil && len(r.labels) != s[0] {
		backend.Mismatch("LogitGrad", dlogits, logits, labels, coef)
	}
	r.dst, r.a, r.b = floats("LogitGrad", dlogits), floats("LogitGrad", logits), floats("LogitGrad", coef)
	r.rows, r.outs = s[0], s[1]
	if !r.labelsFit() {
		backend.Mismatch("LogitGrad: a label is missing or no class", dlogits, logits, labels, coef)
	}
	d.runRows(r.rows, r)
}

// labelsFit reports whether every row that asks for its label has one among the classes.
func (r *rowwise) labelsFit() bool {
	for n := range r.rows {
		if r.b[4*n+2] == 0 {
			continue
		}
		if r.labels == nil || r.labels[n] < 0 || int(r.labels[n]) >= r.outs {
			return false
		}
	}
	return true
}

func (r *rowwise) logitGrad(n int) {
	x, dst := r.a[n*r.outs:][:r.outs], r.dst[n*r.outs:][:r.outs]
	c := r.b[4*n:][:4]
	if c[0] == 0 && c[1] == 0 && c[3] == 0 {
		clear(dst)
	} else {
		var kept [16]float64 // those of the first classes; of few classes all
		top, sum := float64(most(x)), 0.0
		for k, v := range x {
			e := math.Exp(float64(v) - top)
			sum += e
			if k < len(kept) {
				kept[k] = e
			}
		}
		scale := logitWeight(c, top, sum) / sum
		first := min(len(x), len(kept))
		for k, e := range kept[:first] {
			dst[k] = float32(scale * e)
		}
		for k, v := range x[first:] {
			dst[first+k] = float32(scale * math.Exp(float64(v)-top))
		}
	}
	if c[2] != 0 {
		dst[r.labels[n]] += c[2]
	}
}

// logitWeight is what a row's softmax is multiplied by.
func logitWeight(c []float32, top, sum float64) float64 {
	weight := float64(c[0])
	if c[1] == 0 && c[3] == 0 {
		return weight
	}
	lse := top + math.Log(sum)
	weight += float64(c[1]) * lse
	if c[3] != 0 {
		weight += float64(c[3]) / (1 + math.Exp(-lse)) // exp may be infinite, σ is 0 then
	}
	return weight
}
