package page

import (
	"html/template"

	"jem/internal/chart"
	"jem/internal/metrics"
	"jem/toy"
)

// figure is a diagram with what to say under it.
type figure struct {
	chart.Chart
	Caption string
}

func element(f figure) (template.HTML, error) {
	b, err := f.Element()
	return template.HTML(b), err
}

// curves are the diagrams of the training's record.
func curves(r *toy.Result) []figure {
	if len(r.Curve) == 0 {
		return nil
	}
	line := func(name string, of func(toy.Record) float64) (l chart.Line) {
		l.Name = name
		for _, c := range r.Curve {
			l.Add(float64(c.Step), of(c))
		}
		return l
	}
	first, last := float64(r.Curve[0].Step), float64(r.Curve[len(r.Curve)-1].Step)
	diagram := func(title, unit, caption string, lines ...chart.Line) figure {
		return figure{chart.Chart{Title: title, XLabel: "step", YLabel: unit, Lines: lines}, caption}
	}
	zero := chart.Line{X: []float64{first, last}, Y: []float64{0, 0}, Guide: true}
	return []figure{
		diagram("f(x⁺) − f(x⁻)", "nats",
			"Mean f of the data minus mean f of the chains' samples. Training pushes it to 0, where the model can no longer tell its samples from the data; far from 0 it has diverged. That it is 0 doesn't say that log p(x) is right.",
			line("", func(c toy.Record) float64 { return c.Gap }), zero),
		diagram("f of data and of samples", "nats, up to a constant",
			"The two that are subtracted on the left. Together they may drift: f is log p(x) up to a constant that no gradient knows.",
			line("f(x⁺), data", func(c toy.Record) float64 { return c.LogPData }), line("f(x⁻), samples", func(c toy.Record) float64 { return c.LogPSamples })),
		diagram("Accuracy", "share of the batch",
			"Of p(y|x) on the training batches, from the same logits.",
			line("", func(c toy.Record) float64 { return c.Accuracy })),
		diagram("Loss", "nats",
			"What is minimised: −log p(y|x) of the data, minus f(x⁺) − f(x⁻), and penalties. The second part may have either sign, so that the loss says little about how far training is.",
			line("", func(c toy.Record) float64 { return c.Loss })),
	}
}

// reliability are the two diagrams of how often a network is right when it is so sure.
func reliability(r *toy.Result) (all []figure) {
	of := func(name string, bins metrics.Reliability) {
		if len(bins) == 0 {
			return
		}
		var accuracy, share []float64
		total := 0
		for _, b := range bins {
			total += b.Count
		}
		for _, b := range bins {
			accuracy, share = append(accuracy, b.Accuracy), append(share, float64(b.Count)/float64(max(1, total)))
		}
		width := 1 / float64(len(bins))
		bars, counts := chart.Bars(0, width, accuracy), chart.Bars(0, width, share)
		bars.Name, counts.Name, counts.Filled = "accuracy", "share of points", false
		all = append(all, figure{chart.Chart{Title: name + ": calibration error " + percent(bins.ECE()), XLabel: "confidence max p(y|x)", YLabel: "accuracy", XMax: 1, YMax: 1,
			Lines: []chart.Line{bars, counts, {Name: "calibrated", X: []float64{0, 1}, Y: []float64{0, 1}, Guide: true}}}, ""})
	}
	of("JEM", r.Reliability.JEM)
	of("Softmax alone", r.Reliability.Twin)
	return all
}
