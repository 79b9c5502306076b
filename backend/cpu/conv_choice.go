package cpu

import (
	"fmt"
	"maps"

	"jem/backend/cpu/asm"
)

// convAlgo is a family of convolution algorithms.
type convAlgo uint8

const (
	convAuto convAlgo = iota // no family: a request to choose
	convDirect
	convWinograd
)

var convAlgoNames = [...]string{"auto", "direct", "winograd"}

func (a convAlgo) String() string { return convAlgoNames[a] }

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

// direction is one of a convolution's three computations.
type direction uint8

const (
	forwardPass direction = iota
	inputGradient
	paramGradient
)

var directionNames = [...]string{"forward", "input gradient", "parameter gradient"}

// candidate is an algorithm that can compute a layer in a direction.
type candidate struct {
	family convAlgo
	use    func() // plans it and makes it the layer's
}

// portableBlocks is from how many blocks of channels on, by stride, Winograd's algorithm is
// faster with the portable kernels.
var portableBlocks = [...]int{1: 2, 2: 8}

// candidates lists the algorithms for a direction, the one that is usually fastest first.
func (c *conv) candidates(dir direction) []candidate {
	kernels := asm.ConvFor(c.d.isa)
	var direct, winograd candidate
	switch dir {
	case forwardPass:
		direct = candidate{convDirect, func() { c.passes[usualForward] = newForward(c, kernels) }}
		winograd = candidate{convWinograd, func() { c.passes[usualForward] = newWino(c, false, c.d.winograd()) }}
	case inputGradient:
		direct = candidate{convDirect, func() { c.passes[usualInputGradient] = newInputGrad(c, kernels) }}
		winograd = candidate{convWinograd, func() { c.passes[usualInputGradient] = newWino(c, true, c.d.winograd()) }}
	case paramGradient:
		direct = candidate{convDirect, func() { c.paramGrad = newParamGrad(c, kernels) }}
		winograd = candidate{convWinograd, func() { c.paramGrad = newWinoGrad(c) }}
	}
	switch {
	case !winoFits(c, dir):
		return []candidate{direct}
	case c.d.isa == asm.Generic && max(c.x.blocks, c.y.blocks) < portableBlocks[c.spec.Stride]:
		// The portable kernels lose to the transforms what they save.
		return []candidate{direct, winograd}
	}
	return []candidate{winograd, direct}
}

// sure reports whether the first candidate needs no measurement. With vector instructions
// Winograd's algorithm wins forward and input gradient by 2 and more at stride 1, whatever
// the size (docs/performance.md).
func (c *conv) sure(dir direction, all []candidate) bool {
	return len(all) == 1 || all[0].family == convWinograd && dir != paramGradient && c.spec.Stride == 1 && c.d.isa != asm.Generic
}

// choose plans the directions that will be asked for.
func (c *conv) choose() {
	wanted := [...]bool{forwardPass: true, inputGradient: !c.spec.NoInputGrad, paramGradient: !c.spec.NoParamGrad}
	for dir, want := range wanted {
		if want {
			c.pick(direction(dir)).use()
		}
	}
	c.planChained()
}

// pick decides on a direction: as UseChoices says, as decided before for such a layer, as
// Options.ConvAlgo says, by measurement where the device measures, else by the fixed order
// of candidates.
func (c *conv) pick(dir direction) candidate {
	d, all, key := c.d, c.candidates(dir), c.key(dir)
	a, ok := d.named(all, d.choices.asked[key], d.choices.made[key], d.algorithm(d.convAlgo))
	if !ok {
		a = c.prefer(dir, all, key)
	}
	d.choices.made[key] = d.algorithm(a.family)
	return a
}

// prefer is pick where nobody has asked for anything.
func (c *conv) prefer(dir direction, all []candidate, key string) candidate {
	d := c.d
	if d.memo == nil || d.convAlgo != convAuto || c.sure(dir, all) {
		return all[0]
	}
	if a, ok := d.named(all, d.memo.Recall(key)); ok {
		return a
	}
	a := all[d.measure(c, dir, all)]
	d.memo.Keep(key, d.algorithm(a.family))
	return a
}

// named finds the candidate with the first of the names that any has.
func (d *Device) named(all []candidate, names ...string) (candidate, bool) {
	for _, name := range names {
		for _, a := range all {
			if d.algorithm(a.family) == name {
				return a, true
			}
		}
	}
	return candidate{}, false
}

// key is what a layer in a direction is called in choices. Layers with one key are alike.
func (c *conv) key(dir direction) string {
	s := c.spec
	return fmt.Sprintf("conv %dto%d %dx%d k%d s%d p%d n%d, %s", s.InC, s.OutC, s.H, s.W, s.Kernel, s.Stride, s.Pad, s.N, directionNames[dir])
}

// algorithm is what a family is called in choices.
func (d *Device) algorithm(f convAlgo) string { return f.String() + "-" + d.isa.String() }

// choices are what layers have chosen and what they were told to, by key.
type choices struct{ made, asked map[string]string }

// Choices implements backend.Chooser.
func (d *Device) Choices() map[string]string { return maps.Clone(d.choices.made) }

// UseChoices implements backend.Chooser.
func (d *Device) UseChoices(list map[string]string) { d.choices.asked = maps.Clone(list) }
