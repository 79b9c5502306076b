package train

import (
	"jem/predict"
	"jem/train/step"
)

// Observers tells several observers, in order, up to the first error.
type Observers []Observer

func (os Observers) each(tell func(Observer) error) error {
	for _, o := range os {
		if err := tell(o); err != nil {
			return err
		}
	}
	return nil
}

// Step implements Observer.
func (os Observers) Step(r *step.Record) error {
	return os.each(func(o Observer) error { return o.Step(r) })
}

// Evaluated implements Observer.
func (os Observers) Evaluated(step int, a *predict.Judgement) error {
	return os.each(func(o Observer) error { return o.Evaluated(step, a) })
}

// Sampled implements Observer.
func (os Observers) Sampled(step int, s *predict.Samples) error {
	return os.each(func(o Observer) error { return o.Sampled(step, s) })
}

// Saved implements Observer.
func (os Observers) Saved(step int, path string) error {
	return os.each(func(o Observer) error { return o.Saved(step, path) })
}

// RolledBack implements Observer.
func (os Observers) RolledBack(d *DivergedError, r Rollback) error {
	return os.each(func(o Observer) error { return o.RolledBack(d, r) })
}

// Note implements Observer.
func (os Observers) Note(step int, text string) error {
	return os.each(func(o Observer) error { return o.Note(step, text) })
}
