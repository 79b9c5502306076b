package replay

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/comm"
	"jem/model"
	"jem/train/step"
)

// retrace is a recorded recipe being followed, step by step.
type retrace struct {
	*step.Step
	dev     backend.Device
	recipe  *Recipe
	outcome Outcome
}

// Retrace takes the recorded steps of a recipe on a device, from their first weights on and with their
// random numbers, and compares all that was recorded: the images that the model made, logits, terms,
// gradients, running statistics, and the weights at the end.
func Retrace(dev backend.Device, recipe *Recipe) (Outcome, error) {
	dev = recipe.withNumbers(dev)
	s, err := step.New(dev, recipe.Config, recipe.sources(), comm.Local{})
	if err != nil {
		return Outcome{}, err
	}
	r := &retrace{Step: s, dev: dev, recipe: recipe, outcome: Outcome{Step: recipe.Name}}
	if err := r.run(); err != nil {
		return Outcome{}, fmt.Errorf("retrace %s: %w", recipe.Name, err)
	}
	return r.outcome, nil
}

func (r *retrace) run() error {
	if err := r.adoptStart(); err != nil {
		return err
	}
	for i := range r.recipe.Trace {
		if err := r.take(i); err != nil {
			return err
		}
	}
	return r.parameters("param", func(p model.Param) backend.Tensor { return p.Value })
}

// adoptStart sets weights and running statistics to those before the first step.
func (r *retrace) adoptStart() error {
	for _, p := range r.Net.Params.List {
		if err := r.adopt(p.Name, p.Value); err != nil {
			return err
		}
	}
	for _, s := range r.Net.Stats {
		if err := r.adopt(s.Name, s.Value); err != nil {
			return err
		}
	}
	r.dev.ParamsChanged()
	return nil
}

// adopt sets one of them.
func (r *retrace) adopt(name string, to backend.Tensor) error {
	v := r.recipe.Start[name].F32
	if len(v) != backend.Len(to) {
		return fmt.Errorf("%s: %s has %d values, this network's %d", startFile, name, len(v), backend.Len(to))
	}
	r.dev.Upload(to, v)
	return nil
}

// take is Step.Take of step i, with a look at what each verb did.
func (r *retrace) take(i int) error {
	at, rec := step.At{Step: i}, step.Record{}
	if err := r.Load(at); err != nil {
		return err
	}
	if err := r.Sample(at); err != nil {
		return err
	}
	if err := r.moved(i); err != nil {
		return err
	}
	if err := r.Differentiate(at, &rec); err != nil {
		return err
	}
	values := map[string]float64{"grad_norm": rec.GradNorm}
	addTerms(values, rec.Terms)
	r.addLogPx(values, "")
	if err := r.differentiated(i, ""); err != nil {
		return err
	}
	if r.recipe.Config.SAM.Rho != 0 {
		if err := r.sharpened(at, &rec, values); err != nil {
			return err
		}
	}
	r.compareTerms(i, values)
	if err := r.statistics(i); err != nil {
		return err
	}
	return r.Update(at, &rec)
}

// sharpened has the step take its gradient at the worst weights nearby, and compares.
func (r *retrace) sharpened(at step.At, rec *step.Record, values map[string]float64) error {
	w, size := r.Net.Params, r.dev.New(backend.Dense, 1)
	r.dev.ProductSquares(size, w.Value, w.Grad)
	squares, err := r.read(size)
	if err != nil {
		return err
	}
	values["sam_norm"] = math.Sqrt(float64(squares[0]))
	if err := r.Sharpen(at, rec); err != nil {
		return err
	}
	values["climbed/L"], values["climbed/grad_norm"] = rec.L+rec.Sharpness, rec.GradNorm
	r.addLogPx(values, "climbed/")
	return r.differentiated(at.Step, "climbed/")
}
