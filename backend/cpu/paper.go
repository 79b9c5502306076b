package cpu

import (
	"jem/backend"
)

// PassSize implements backend.Sizer: it plans the pass without making it.
func (d *Device) PassSize(calls []backend.Call) [2]int64 {
	p := &program{d: d, calls: onPaper(calls)}
	p.identify()
	if p.traits = p.judge(); p.whole {
		return [2]int64{}
	}
	p.divide()
	p.place()
	lanes := int64(d.workers.n)
	if p.first == 0 {
		lanes = 0
	}
	return [2]int64{4 * lanes * int64(p.sizes[0]), 4 * int64(p.sizes[1])}
}

// onPaper gives the calls operands of this device that take no memory.
func onPaper(calls []backend.Call) []call {
	tensors := map[backend.Tensor]*tensor{}
	paper := func(t backend.Tensor) *tensor {
		if tensors[t] == nil {
			shaped, size := shaped(t.Kind(), t.Shape())
			shaped.store = &store{size: size}
			tensors[t] = shaped
		}
		return tensors[t]
	}
	layers := map[*backend.ConvSpec]bool{}
	var all []call
	for _, c := range calls {
		var own call
		switch {
		case c.Sums:
			own.kind = sums
		case c.Couples:
			own.kind = couples
		}
		if c.Norm {
			own.norm = &norm{}
		}
		if c.Conv != nil && !layers[c.Conv] {
			layers[c.Conv] = true
			h, w := c.Conv.Window()
			own.weights = 4 * c.Conv.OutC * c.Conv.InC * h * w
		}
		for _, t := range c.Writes {
			own.operands = append(own.operands, operand{t: paper(t), writes: true})
		}
		for _, t := range c.Reads {
			own.operands = append(own.operands, operand{t: paper(t), reads: true})
		}
		all = append(all, own)
	}
	return all
}
