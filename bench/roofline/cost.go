package main

import (
	"slices"

	"jem/backend"
	"jem/backend/trace"
)

// cost is what calls take, whatever the card.
type cost struct {
	flops     float64 // of convolutions, counted as direct
	convBytes float64 // that convolutions move at least, with everything fused that can be
	ownBytes  float64 // that all other kernels move
	passBytes float64 // that come on top where nothing is fused: each result written and read once more
	convs     int     // launches of convolutions
	own       int     // launches of other kernels
	passes    int     // launches that come on top where nothing is fused
}

// add is the sum of a cost and n times another.
func (a cost) add(n float64, b cost) cost {
	return cost{a.flops + n*b.flops, a.convBytes + n*b.convBytes, a.ownBytes + n*b.ownBytes, a.passBytes + n*b.passBytes,
		a.convs + int(n)*b.convs, a.own + int(n)*b.own, a.passes + int(n)*b.passes}
}

// costs adds up calls, with images in elements of the given size.
func costs(calls []trace.Call, image float64) (sum cost) {
	for _, c := range calls {
		sum = sum.add(1, one(c, image))
	}
	return sum
}

// one is the cost of a call. Copies between host and device and calls that only wait cost
// nothing here: the trainer makes them a few times a step, outside the chain.
func one(c trace.Call, image float64) cost {
	switch {
	case c.Conv != nil:
		return ofConv(c, image)
	case slices.Contains([]string{"Upload", "UploadRows", "UploadIndex", "Download", "Sync", "ParamsChanged"}, c.Op):
		return cost{}
	}
	return cost{ownBytes: bytes(c, image), own: 1}
}

func ofConv(c trace.Call, image float64) cost {
	v := cost{flops: c.FLOPs(), convBytes: bytes(c, image), convs: 1}
	result := 2 * image * float64(backend.Len(c.Writes[0]))
	switch {
	case c.Op == "Conv.Forward", c.Conv.Act, c.Conv.Residual:
		v.passBytes, v.passes = result, 1
	case c.Op == "Conv.ParamGrad" && c.Conv.Bias: // the bias gradient is never fused: parts, then their sum
		v.ownBytes, v.own = image*float64(backend.Len(c.Reads[len(c.Reads)-1])), 2
	}
	return v
}

// bound is the least time in seconds that convolutions take on a card: each is limited by
// its arithmetic or by its operands' traffic. memory is the part of it in calls that traffic
// limits.
func bound(calls []trace.Call, on card, precision string, image float64) (seconds, memory float64) {
	for _, c := range calls {
		if c.Conv == nil {
			continue
		}
		arithmetic, traffic := c.FLOPs()/on.peak[precision], bytes(c, image)/on.bytes
		seconds += max(arithmetic, traffic)
		if traffic > arithmetic {
			memory += traffic
		}
	}
	return seconds, memory
}
