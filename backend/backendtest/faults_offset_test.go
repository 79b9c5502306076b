package backendtest_test

import (
	"jem/backend"
	"jem/backend/philox"
)

// replaysOldOffset runs every chain from the block that the first run began with.
type replaysOldOffset struct{ backend.Device }

func (d replaysOldOffset) NewChain(steps int, step func(int, philox.Key)) backend.Chain {
	return &oldOffsetChain{oldKeyChain{PlainChain: backend.PlainChain{Steps: steps, Step: step}}}
}

type oldOffsetChain struct{ oldKeyChain }

func (c *oldOffsetChain) Run(key philox.Key) {
	if !c.ran {
		c.key, c.ran = key, true
	}
	key.First = c.key.First
	c.PlainChain.Run(key)
}

// offsetSlip keeps only some bits of where a verb's numbers begin.
type offsetSlip struct {
	backend.Device
	verb string
	bits uint64
}

func (d offsetSlip) of(verb string, key philox.Key) philox.Key {
	if verb == d.verb {
		key.First &= d.bits
	}
	return key
}

func (d offsetSlip) Uniform(x backend.Tensor, key philox.Key, lo, hi float32) {
	d.Device.Uniform(x, d.of("Uniform", key), lo, hi)
}

func (d offsetSlip) Normal(x backend.Tensor, key philox.Key, mean, std float32) {
	d.Device.Normal(x, d.of("Normal", key), mean, std)
}

func (d offsetSlip) Dropout(dst, src backend.Tensor, key philox.Key, rate float32) {
	d.Device.Dropout(dst, src, d.of("Dropout", key), rate)
}

func (d offsetSlip) SGLDStep(x, g backend.Tensor, key philox.Key, p backend.SGLD) {
	d.Device.SGLDStep(x, g, d.of("SGLDStep", key), p)
}
