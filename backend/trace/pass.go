package trace

import (
	"slices"
	"strings"

	"jem/backend"
)

// working is working memory, which takes none of its own unless it is used outside of passes.
type working struct {
	kind    backend.Kind
	shape   []int
	settled bool
}

// NewWorking implements backend.Passer.
func (d *Device) NewWorking(kind backend.Kind, shape ...int) backend.Tensor {
	shape = slices.Clone(shape)
	return &tensor{kind, shape, &working{kind: kind, shape: shape}}
}

// Pass implements backend.Passer.
func (d *Device) Pass(f func()) {
	if d.inPass {
		f()
		return
	}
	begin := len(d.calls)
	d.inPass = true
	f()
	d.inPass = false
	if d.sizes == nil {
		return
	}
	for i, size := range d.sizes.PassSize(onPaper(d.calls[begin:])) {
		d.passes[i] = max(d.passes[i], size)
	}
}

// add records a call.
func (d *Device) add(c Call) {
	d.calls = append(d.calls, c)
	if d.inPass || d.sizes == nil {
		return
	}
	for _, t := range slices.Concat(c.Reads, c.Writes) {
		if w := t.(*tensor).working; w != nil && !w.settled {
			w.settled = true
			d.take(w.kind, w.shape)
		}
	}
}

// onPaper are calls as the contract describes them.
func onPaper(calls []Call) (paper []backend.Call) {
	for _, c := range calls {
		p := backend.Call{Reads: inPasses(c.Reads), Writes: inPasses(c.Writes), Sums: strings.HasSuffix(c.Op, "ParamGrad"), Couples: c.Couples, Norm: c.Norm}
		if c.plan != nil {
			p.Conv = &c.plan.spec
		}
		paper = append(paper, p)
	}
	return paper
}

// inPasses are the operands that are working memory.
func inPasses(ts []backend.Tensor) (own []backend.Tensor) {
	for _, t := range ts {
		if t.(*tensor).working != nil {
			own = append(own, t)
		}
	}
	return own
}
