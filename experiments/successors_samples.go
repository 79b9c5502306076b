package experiments

import "jem/predict"

// successorSamples adds a picture of what each recipe draws from nothing.
func successorSamples(l *Lab, r *Result) error {
	for _, s := range successors() {
		t, err := firstTraining(l, s.run())
		if err != nil {
			return err
		}
		d, err := drawnAfresh(l, t)
		if isNotRun(err) {
			continue
		}
		if err != nil {
			return err
		}
		r.Pictures = append(r.Pictures, Picture{s.key, s.label, "Drawn from class Gaussians by the recipe's own moves, one row a class that the model sees in them.", d.Grid})
	}
	return nil
}

// drawnAfresh are samples of a training that begin at its start, with the moves that its recipe draws by.
func drawnAfresh(l *Lab, t Training) (drawn, error) {
	g := t.Config.Generation()
	if g.Persistent && !t.samples() {
		return drawn{}, notRun("a classifier draws no samples")
	}
	protocol := struct{ N, Steps int }{pick(l.Scale, 100, 1000, 1000), pick(l.Scale, min(20, g.Steps), g.Steps, g.Steps)}
	return measure(l, t, "drawn-afresh", protocol, func(p *predict.Predictor) (drawn, error) {
		o := p.Sampling(true)
		o.N, o.Steps, o.Seed = protocol.N, protocol.Steps, 1
		s, err := p.Sample(l.ctx, o)
		if err != nil {
			return drawn{}, err
		}
		return summarise(s, p.Classes)
	})
}
