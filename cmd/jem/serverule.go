package main

import (
	"context"
	"errors"
	"fmt"

	"jem/eval/ood"
	"jem/feed"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/predict"
	"jem/serve/verdict"
)

// served says what is fitted to a network that is served.
type served struct {
	rule        string   // a score of ood.Ruling; "": no verdicts
	falseAlarms float64  // share of usual images that the rule may call unusual
	temperature float64  // of probabilities; 0: fitted on held-out images
	unknown     []string // sets that log p(x) is shown of, see ood.Open
	limit       int      // images of each set; 0: all
}

// fit fits it, on the device's goroutine. Notes are sentences for the user.
func (o served) fit(ctx context.Context, p *predict.Predictor, watch predict.Watch) (f verdict.Fitted, notes []string, err error) {
	f.Temperature = 1
	if o.temperature != 0 {
		f.Temperature = o.temperature
	}
	held, notes, err := heldOut(p)
	switch {
	case err != nil:
		return f, notes, err
	case held == nil && o.temperature == 0:
		notes = append(notes, "probabilities are at temperature 1: no held-out images are known to fit another on")
	case held != nil:
		note, err := o.usual(ctx, p, held, &f, watch)
		if notes = append(notes, note...); err != nil {
			return f, notes, err
		}
	}
	if o.rule != "" {
		r, more, err := ood.FitRule(ctx, p, o.rule, o.falseAlarms, watch)
		if notes = append(notes, more...); err != nil {
			return f, notes, err
		}
		f.Rule = servedRule{r}
	}
	more, err := o.compare(ctx, p, &f.Reference, watch)
	return f, append(notes, more...), err
}

// heldOut are the images that a run held out; nil where none are known.
func heldOut(p *predict.Predictor) (feed.Images, []string, error) {
	if p.Config.Data.Name == "" {
		return nil, nil, nil
	}
	held, notes, err := p.Source().Images("valid", 0)
	if errors.Is(err, fault.ErrMissing) {
		return nil, append(notes, fmt.Sprintf("log p(x) is compared with no images of the run's own: %v", err)), nil
	}
	return held.Images, notes, err
}

// usual fits what the held-out images say but for the rule, in one pass: all of them the temperature that suits them best, if none
// was named, the first of them log p(x).
func (o served) usual(ctx context.Context, p *predict.Predictor, held feed.Images, f *verdict.Fitted, watch predict.Watch) ([]string, error) {
	if o.temperature != 0 {
		held = feed.Head(held, o.limit)
	}
	on, err := p.Gather(ctx, "held-out images", held, predict.Want{}, watch)
	if err != nil {
		return nil, err
	}
	f.Reference.Own = verdict.SetOf("held-out images", on, o.limit)
	if o.temperature != 0 {
		return nil, nil
	}
	t, err := metrics.Temperature(on.Logits, on.Labels)
	if err != nil {
		return []string{fmt.Sprintf("probabilities are at temperature 1: %v", err)}, nil
	}
	f.Temperature = t
	return nil, nil
}

// compare adds the sets that nobody has trained on.
func (o served) compare(ctx context.Context, p *predict.Predictor, r *verdict.Reference, watch predict.Watch) (notes []string, err error) {
	for _, name := range o.unknown {
		images, more, err := ood.Open(p, name, ood.Options{Limit: o.limit})
		if notes = append(notes, more...); err != nil {
			return notes, err
		}
		set, err := verdict.Measure(ctx, p, ood.Title(name), feed.Head(images.Images, o.limit), watch)
		if err != nil {
			return notes, err
		}
		set.Seen = images.Seen
		r.Unknown = append(r.Unknown, set)
	}
	return notes, nil
}

// servedRule is an ood.Rule as a service knows it.
type servedRule struct{ *ood.Rule }

// About implements verdict.Rule.
func (r servedRule) About() verdict.About {
	return verdict.About{Score: r.ByScore, Threshold: r.Threshold, FalseAlarms: r.FalseAlarms, HeldOut: r.HeldOut}
}

// Asked implements verdict.Rule.
func (r servedRule) Asked() predict.Asked {
	return predict.Asked{Mass: r.ByScore == "pxgrad", Features: r.Wants().Features}
}

// Judge implements verdict.Rule.
func (r servedRule) Judge(s *predict.Scores) ([]verdict.Verdict, error) {
	all, err := r.Rule.Judge(s)
	out := make([]verdict.Verdict, len(all))
	for i, v := range all {
		out[i] = verdict.Verdict(v)
	}
	return out, err
}
