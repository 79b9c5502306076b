package ood

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jem/feed"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/predict"
)

// ScorerOptions say which OOD scores to compute, and their constants.
type Options struct {
	Scores      []string     `json:"scores"`      // of AllScores
	Temperature float64      `json:"temperature"` // of msp; 0: fitted on the images that the run held out, or 1 where there are none
	ODIN        predict.ODIN `json:"odin"`
	Neighbour   int          `json:"neighbour"`  // k of knn; OpenOOD's 50
	FitImages   int          `json:"fit_images"` // training images that features are fitted on; 0: all
	FitData     string       `json:"fit_data_sha256,omitempty"`
}

// Scorer computes OOD scores of images.
type Scorer struct {
	Options Options // with the temperature and the number of images that were fitted

	p         *predict.Predictor
	noise     float32 // of images that are fitted on
	want      predict.Want
	gaussians *metrics.Gaussians
	bank      *metrics.Bank
}

// NewScorer prepares scores. Those that compare with the training images or need a
// temperature run these images through the network first. Notes are sentences for the user.
func NewScorer(ctx context.Context, p *predict.Predictor, noise float32, o Options, told predict.Watch) (*Scorer, []string, error) {
	for _, name := range o.Scores {
		if !slices.Contains(All, name) {
			return nil, nil, fmt.Errorf("no score %q; there are %s", name, strings.Join(All, ", "))
		}
	}
	s := &Scorer{Options: o, p: p, noise: noise, want: predict.Want{
		Gradients: o.uses("pxgrad"),
		Features:  o.uses("mahalanobis", "relative", "knn"),
	}}
	if o.uses("odin") {
		s.want.ODIN = &s.Options.ODIN
	}
	var notes []string
	if o.uses("msp") && o.Temperature == 0 {
		more, err := s.fitTemperature(ctx, told)
		if notes = append(notes, more...); err != nil {
			return nil, notes, err
		}
	}
	if s.want.Features {
		more, err := s.fitFeatures(ctx, told)
		if notes = append(notes, more...); err != nil {
			return nil, notes, err
		}
	}
	return s, notes, nil
}

// uses reports whether any of the named scores is asked for.
func (o Options) uses(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(o.Scores, n) })
}

// fitTemperature takes the temperature that minimises the NLL of the held-out images.
func (s *Scorer) fitTemperature(ctx context.Context, told predict.Watch) ([]string, error) {
	s.Options.Temperature = 1
	valid, notes, err := feed.OpenImages(s.p.Config, "valid", s.noise)
	if errors.Is(err, fault.Missing) {
		return append(notes, "score msp at temperature 1: the run held out no images to fit it on"), nil
	}
	if err != nil {
		return notes, err
	}
	on, err := s.p.Gather(ctx, "valid", valid, predict.Want{}, told)
	if err != nil {
		return notes, err
	}
	t, err := metrics.Temperature(on.Logits, on.Labels)
	if err != nil {
		return append(notes, fmt.Sprintf("score msp at temperature 1: %v", err)), nil
	}
	s.Options.Temperature = t
	return notes, nil
}

// fitFeatures keeps what the scores in the space of features compare with.
func (s *Scorer) fitFeatures(ctx context.Context, told predict.Watch) ([]string, error) {
	o := &s.Options
	images, notes, err := feed.OpenImages(s.p.Config, "train", s.noise)
	if err != nil {
		return notes, err
	}
	images = feed.Head(images, o.FitImages)
	on, err := s.p.Gather(ctx, "features of train", images, predict.Want{Features: true}, told)
	if err != nil {
		return notes, err
	}
	o.FitImages, o.FitData = images.Len(), on.Digest
	if o.uses("mahalanobis", "relative") {
		if s.gaussians, err = metrics.FitGaussians(on.Features, on.Labels, s.p.Net().Config.Classes); err != nil {
			return notes, fmt.Errorf("features of the training images: %w", err)
		}
	}
	if o.uses("knn") {
		if o.Neighbour < 1 || o.Neighbour > images.Len() {
			return notes, &fault.Error{Kind: fault.Bad, Reason: fmt.Sprintf("score knn: neighbour %d of %d training images", o.Neighbour, images.Len())}
		}
		s.bank, err = metrics.NewBank(on.Features)
	}
	return notes, err
}

// Score computes the scores of images, by name, and describes the set as about.
func (s *Scorer) Score(ctx context.Context, about string, images feed.Images, told predict.Watch) (map[string][]float64, Set, error) {
	set := Set{Set: about, Images: images.Len()}
	if images.Len() == 0 {
		return nil, set, &fault.Error{Kind: fault.Missing, Reason: about + ": no images to score"}
	}
	o, err := s.p.Gather(ctx, about, images, s.want, told)
	if err != nil {
		return nil, set, err
	}
	set.Data = o.Digest
	all, err := Of(o)
	if err != nil {
		return nil, set, err
	}
	for n := range o.Logits.N {
		row := o.Logits.Row(n)
		all["maxlogit"] = append(all["maxlogit"], slices.Max(row))
		if s.Options.Temperature > 0 {
			all["msp"] = append(all["msp"], predict.MaxProbability(row, s.Options.Temperature))
		}
	}
	all["energy"], all["odin"] = all["px"], o.ODIN
	if err := s.ofFeatures(all, o.Features); err != nil {
		return nil, set, fmt.Errorf("features of %s: %w", about, err)
	}
	for name := range all {
		if !s.Options.uses(name) {
			delete(all, name)
		}
	}
	return all, set, nil
}

// ofFeatures adds the scores in the space of features.
func (s *Scorer) ofFeatures(all map[string][]float64, features metrics.Table) (err error) {
	if s.gaussians != nil {
		if all["mahalanobis"], all["relative"], err = s.gaussians.Scores(features); err != nil {
			return err
		}
	}
	if s.bank != nil {
		all["knn"], err = s.bank.Scores(features, s.Options.Neighbour)
	}
	return err
}
