package train

import "jem/sampler"

// Sources are the data of a run, as the trainer needs them. Package internal/data provides
// them; tests make their own.
type Sources struct {
	PX      Stream // x⁺ of log p(x); may be nil where no term needs it
	Labeled Stream // (x,y); may equal PX
	Valid   Images // nil: no validation
	Test    Images // nil: no test evaluation
	Start   sampler.Start
	Classes []string // names; their number is K

	Channels, Size int // of an image: C, H = W
}

// Stream gives the batch of any training step.
type Stream interface {
	// Batch returns the images (B,C,H,W) in [−1,1] plus noise, and their labels. It is a
	// function of the step, which usually grows by one from call to call. The slices are
	// valid until the next call.
	Batch(step int) (images []float32, labels []int32, err error)
	// StepsPerEpoch is the number of whole batches in an epoch.
	StepsPerEpoch() int
}

// Images is a set to evaluate on.
type Images interface {
	Len() int
	// Read writes images lo … lo+len(labels)−1, scaled to [−1,1] and with Gaussian noise of
	// the given std, whose numbers depend on the image's index only.
	Read(lo int, images []float32, labels []int32, noise float32)
}
