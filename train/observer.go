package train

import "jem/model"

// Record is what one training step showed.
type Record struct {
	Step   int   // steps taken, from 1
	Epoch  int   // of the step, from 0
	Images int64 // images of each stream seen so far
	model.Terms
	LR       float32
	GradNorm float64 // of the loss with respect to all parameters, before clipping

	DataSeconds     float64
	SampleSeconds   float64
	GradientSeconds float64
	UpdateSeconds   float64
}

// Seconds is the step's duration.
func (r *Record) Seconds() float64 {
	return r.DataSeconds + r.SampleSeconds + r.GradientSeconds + r.UpdateSeconds
}

// Gap is f(x⁺) − f(x⁻), the difference of mean log p(x) between data and samples.
func (r *Record) Gap() float64 { return r.LogPxPos - r.LogPxNeg }

// Observer is told what happens during training. Its methods are called between steps,
// in order, from one goroutine; an error stops the run.
type Observer interface {
	// Step reports every training step.
	Step(r *Record) error
	// Evaluated reports an evaluation after so many steps.
	Evaluated(step int, a Accuracy) error
	// Sampled reports a set of the replay buffer's chains: images (N,C,H,W) in [−1,1]
	// and beyond, sorted by the class that the model sees in them.
	Sampled(step int, s *Samples) error
	// Saved reports a checkpoint.
	Saved(step int, path string) error
	// RolledBack reports a return to an earlier state; the next step is r.To+1.
	RolledBack(d *DivergedError, r Rollback) error
	// Note reports anything else worth a line in log and report.
	Note(step int, text string) error
}
