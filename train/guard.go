package train

import (
	"fmt"
	"math"
	"slices"

	"jem/model"
	"jem/train/step"
)

// DivergedError says that a step's numbers left what the guard allows, before the step
// changed any weight.
type DivergedError struct {
	Step      int    // the step that was not taken, from 1
	Reason    string // what was seen
	Record    step.Record
	Rollbacks []Rollback // of the run before it gave up
}

func (e *DivergedError) Error() string {
	s := fmt.Sprintf("training diverged at step %d: %s", e.Step, e.Reason)
	if n := len(e.Rollbacks); n > 0 {
		s += fmt.Sprintf("; gave up after %d rollbacks, the last to step %d: lower optim.lr, raise sampler.steps where there are chains, or raise guard.budget", n, e.Rollbacks[n-1].To)
	}
	return s
}

// Baseline is the running mean and variance of the loss over the steps taken, exponentially
// weighted; the zero value has seen nothing.
type Baseline struct {
	Steps    int     `json:"steps"`
	Mean     float64 `json:"mean"`
	Variance float64 `json:"variance"`
}

// add takes a loss in. The first window steps are weighted equally.
func (b *Baseline) add(loss float64, window int) {
	b.Steps++
	w := 1 / float64(min(b.Steps, window))
	d := loss - b.Mean
	b.Mean += w * d
	b.Variance = (1 - w) * (b.Variance + w*d*d)
}

// deviation is at least 1 nat: a loss that has settled may move by so much.
func (b *Baseline) deviation() float64 { return max(1, math.Sqrt(b.Variance)) }

// guard refuses a step whose numbers are not finite or beyond a limit (official: |L| > 1e8,
// which NaN passes; here it doesn't), and takes the loss of any other into the baseline.
func (t *Trainer) guard(r *step.Record) error {
	if t.otherTerms(r.Step - 1) {
		t.progress.Baseline = Baseline{}
	}
	if reason := faults(t, r); reason != "" {
		return &DivergedError{Step: r.Step, Reason: reason, Record: *r}
	}
	t.progress.Baseline.add(r.L, t.cfg.Guard.Window)
	return nil
}

// otherTerms reports whether the loss after so many steps has other terms than the one before, as where a phase
// begins: it may well be another.
func (t *Trainer) otherTerms(step int) bool {
	if len(t.cfg.Train.Schedule) == 0 || step == 0 {
		return false
	}
	before, now := t.cfg.At(step-1, t.TotalSteps()), t.cfg.At(step, t.TotalSteps())
	return !slices.EqualFunc(before.Loss(), now.Loss(), func(a, b model.Term) bool {
		return a.Kind == b.Kind && a.On == b.On && a.Against == b.Against
	})
}

// faults says what is wrong with the numbers of a step; "" for nothing.
func faults(t *Trainer, r *step.Record) string {
	g, b := t.cfg.Guard, t.progress.Baseline
	exceeds := func(v float64, limit float32) bool { return limit > 0 && math.Abs(v) > float64(limit) }
	switch {
	case !finite(r.L):
		return fmt.Sprintf("the loss is %v (log p(x) on data %v, on samples %v)", r.L, r.LogPxPos, r.LogPxNeg)
	case math.Abs(r.L) > float64(t.cfg.Train.MaxLoss):
		return fmt.Sprintf("|L| = %.4g exceeds train.max_loss = %g", math.Abs(r.L), t.cfg.Train.MaxLoss)
	case !finite(r.GradNorm):
		return fmt.Sprintf("the gradient's norm%s is %v", t.where(r), r.GradNorm)
	case exceeds(r.GradNorm, g.MaxGrad):
		return fmt.Sprintf("the gradient's norm%s, %.4g, exceeds guard.max_grad = %g", t.where(r), r.GradNorm, g.MaxGrad)
	case exceeds(r.LogPxPos, g.MaxLogPx), exceeds(r.LogPxNeg, g.MaxLogPx):
		return fmt.Sprintf("log p(x) of %.4g on data, %.4g on samples exceeds guard.max_log_px = %g", r.LogPxPos, r.LogPxNeg, g.MaxLogPx)
	case t.step.Batch.Part(model.ChainPX|model.Dreams) >= 0 && exceeds(r.Gap(), g.MaxGap):
		return fmt.Sprintf("f(x⁺) − f(x⁻) = %.4g lies beyond ±guard.max_gap = ±%g", r.Gap(), g.MaxGap)
	case g.Spike > 0 && b.Steps >= g.Window && math.Abs(r.L-b.Mean) > float64(g.Spike)*b.deviation():
		return fmt.Sprintf("L = %.4g is more than guard.spike = %g deviations of %.3g from its running mean %.4g", r.L, g.Spike, b.deviation(), b.Mean)
	}
	return ""
}

// where says at which weights a step's gradient was taken, if not at its own.
func (t *Trainer) where(r *step.Record) string {
	if r.Sharpness == 0 {
		return ""
	}
	now := t.cfg.At(r.Step-1, t.TotalSteps())
	return fmt.Sprintf(" at the worst weights within sam.rho = %g", now.SAM.Rho)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
