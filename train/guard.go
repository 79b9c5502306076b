package train

import (
	"fmt"
	"math"
)

// DivergedError stops a run whose loss or gradients left the finite world, before the
// step changed any weight.
type DivergedError struct {
	Step   int    // the step that was not taken, from 1
	Reason string // what was seen
	Record Record
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged at step %d: %s", e.Step, e.Reason)
}

// guard refuses a step whose numbers are not finite or whose loss exceeds the limit
// (official: |L| > 1e8, which NaN passes; here it doesn't).
func (t *Trainer) guard(r *Record) error {
	reason := ""
	switch {
	case !finite(r.L):
		reason = fmt.Sprintf("the loss is %v (log p(x) on data %v, on samples %v)", r.L, r.LogPxPos, r.LogPxNeg)
	case math.Abs(r.L) > float64(t.cfg.Train.MaxLoss):
		reason = fmt.Sprintf("|L| = %.4g exceeds train.max_loss = %g", math.Abs(r.L), t.cfg.Train.MaxLoss)
	case !finite(r.GradNorm):
		reason = fmt.Sprintf("the gradient's norm is %v", r.GradNorm)
	default:
		return nil
	}
	return &DivergedError{Step: r.Step, Reason: reason, Record: *r}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
