package cpu

import (
	"fmt"

	"jem/backend/cpu/asm"
)

// convAlgo is the family of algorithms that convolutions may use.
type convAlgo uint8

const (
	convAuto convAlgo = iota
	convDirect
	convWinograd
)

var convAlgoNames = [...]string{"auto", "direct", "winograd"}

// parseConvAlgo reads Options.ConvAlgo.
func parseConvAlgo(name string) (convAlgo, error) {
	if name == "" {
		return convAuto, nil
	}
	for i, n := range convAlgoNames {
		if n == name {
			return convAlgo(i), nil
		}
	}
	return 0, fmt.Errorf("unknown convolution algorithm %q: want auto, direct or winograd", name)
}

// choose plans the verbs that will be asked for. The choice is a function of the layer's
// shape and the instruction set, so a resumed run makes it again and gives the same bits.
func (c *conv) choose() {
	kernels := asm.ConvFor(c.d.isa)
	winograd := c.winograd()
	if winograd {
		c.forward = newWino(c, false)
	} else {
		c.forward = newForward(c, kernels)
	}
	switch {
	case c.spec.NoInputGrad:
	case winograd:
		c.inputGrad = newWino(c, true)
	default:
		c.inputGrad = newInputGrad(c, kernels)
	}
	switch {
	case c.spec.NoParamGrad:
	case winograd && c.spec.Stride == 1:
		c.paramGrad = newWinoGrad(c)
	default:
		c.paramGrad = newParamGrad(c, kernels)
	}
}

// winograd reports whether to use it for the forward pass and the input gradient. Where
// it can be used it is faster by 2 and more (docs/performance.md), but for the portable
// kernels with 16 channels on both sides, which lose to the transforms what they save.
func (c *conv) winograd() bool {
	switch {
	case !winoFits(c) || c.d.convAlgo == convDirect:
		return false
	case c.d.convAlgo == convWinograd:
		return true
	}
	return c.d.isa != asm.Generic || c.x.blocks > 1 || c.y.blocks > 1
}
