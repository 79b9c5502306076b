package feed

import "jem/sampler"

// Sources are the data of a run, as the trainer needs them. Package internal/data provides
// them; tests make their own.
type Sources struct {
	PX      Stream // x⁺ of log p(x); may be nil where no term needs it
	Labeled Stream // (x,y); may equal PX
	// Outliers are images of no class that negatives may start at, their labels all 0; nil: none are configured.
	Outliers Stream
	Valid    Images        // nil: no validation
	Test     Images        // nil: no test evaluation
	Start    sampler.Start // of chains
	Gaussian sampler.Start // of each class; nil where nothing begins with it
	Classes  []string      // names; their number is K

	Channels, Size int     // of an image: C, H = W
	EvalNoise      float32 // std of the noise that Valid and Test add, for the record
}

// Stream gives the batch of any training step.
type Stream interface {
	// Batch returns the images (B,C,H,W) in [−1,1] plus noise, and their labels. It is a
	// function of the step, which usually grows by one from call to call. The slices are
	// valid until the next call.
	Batch(step int) (images []float32, labels []int32, err error)
	// StepsPerEpoch is the number of steps in an epoch: whole labelled batches of as many images as the
	// stream has, and one at least. The stream's own batch may be another.
	StepsPerEpoch() int
}

// Images is a set to evaluate on, in batches of at most EvalBatch.
type Images interface {
	Len() int     // images
	Batches() int // ⌈Len/EvalBatch⌉
	// Batch writes batch i (n,C,H,W), scaled to [−1,1] and with whatever noise the set has,
	// and its labels, and returns n.
	Batch(i int, images []float32, labels []int32) int
}

// EvalBatch is the batch of evaluations, as published. It does not influence results.
const EvalBatch = 100
