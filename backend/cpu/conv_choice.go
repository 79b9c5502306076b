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

// choose plans the verbs that will be asked for.
func (c *conv) choose() {
	kernels := asm.ConvFor(c.d.isa)
	winograd := winoFits(c) && c.d.convAlgo != convDirect
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
	if !c.spec.NoParamGrad {
		c.paramGrad = newParamGrad(c, kernels)
	}
}
