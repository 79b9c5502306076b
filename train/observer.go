package train

import (
	"jem/predict"
	"jem/train/step"
)

// Observer is told what happens during training. Its methods are called between steps,
// in order, from one goroutine; an error stops the run.
type Observer interface {
	// Step reports every training step.
	Step(r *step.Record) error
	// Evaluated reports an evaluation after so many steps, with what is behind it.
	Evaluated(step int, a *predict.Judgement) error
	// Sampled reports a set of the replay buffer's chains: images (N,C,H,W) in [−1,1]
	// and beyond, sorted by the class that the model sees in them.
	Sampled(step int, s *predict.Samples) error
	// Saved reports a checkpoint.
	Saved(step int, path string) error
	// RolledBack reports a return to an earlier state; the next step is r.To+1.
	RolledBack(d *DivergedError, r Rollback) error
	// Note reports anything else worth a line in log and report.
	Note(step int, text string) error
}
