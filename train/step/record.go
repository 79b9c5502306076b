package step

import (
	"time"

	"jem/model"
)

// Record is what one training step showed.
type Record struct {
	Step   int   // steps taken, from 1
	Epoch  int   // of the step, from 0
	Images int64 // images of each stream seen so far
	model.Terms
	LR        float32
	GradNorm  float64                // of the loss with respect to all parameters, before clipping
	Sharpness float64                // by how much the loss at the worst weights nearby exceeds it; 0 where they were not asked for
	AUC       map[model.Role]float64 // how well log p(x) told data from the images of a curriculum; nil without one
	Moves     int                    // of these images; of the last role where there are several
	Stop      bool                   // a rank wants to stop after the step

	DataSeconds     float64
	SampleSeconds   float64
	GradientSeconds float64
	UpdateSeconds   float64
	ExchangeSeconds float64 // of these, waiting for other ranks
}

// Seconds is the step's duration.
func (r *Record) Seconds() float64 {
	return r.DataSeconds + r.SampleSeconds + r.GradientSeconds + r.UpdateSeconds
}

// Gap is f(x⁺) − f(x⁻), the difference of mean log p(x) between data and samples, or dreams.
func (r *Record) Gap() float64 { return r.LogPxPos - r.LogPxNeg }

// lap is the time in seconds since the last lap.
func lap(clock *time.Time) float64 {
	now := time.Now()
	seconds := now.Sub(*clock).Seconds()
	*clock = now
	return seconds
}
