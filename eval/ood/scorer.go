package ood

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"jem/feed"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/predict"
)

// Published are the paper's scores, by which in-distribution images are told from others
// (official --score_fn).
var Published = []string{"px", "py", "pxgrad"}

// All are the scores that there are, in the order of tables. Each is higher for images that
// look in-distribution.
var All = []string{"px", "py", "pxgrad", "energy", "maxlogit", "msp", "odin", "mahalanobis", "relative", "knn"}

// meanings say what each score is and where it comes from.
var meanings = map[string]string{
	"px":          "log p(x) = LogSumExp of the logits, up to log Z (Grathwohl et al. 2020)",
	"py":          "max_y p(y|x) (Hendrycks & Gimpel 2017)",
	"pxgrad":      "approximate mass −‖∂log p(x)/∂x‖₂, pixels in [−1,1] (Grathwohl et al. 2020)",
	"energy":      "−E(x) at temperature 1 (Liu et al. 2020): E(x) = −log p(x) here, so its figures are those of px",
	"maxlogit":    "max_y f(x)[y] (Hendrycks et al. 2022)",
	"msp":         "max_y p(y|x) of logits divided by a temperature (Guo et al. 2017)",
	"odin":        "the same of an image moved against its cross-entropy's gradient (Liang et al. 2018)",
	"mahalanobis": "minus the squared Mahalanobis distance of features to the nearest class (Lee et al. 2018)",
	"relative":    "that plus the distance to the features of all classes together (Ren et al. 2021)",
	"knn":         "minus the distance of normalised features to the k-th nearest training image (Sun et al. 2022)",
}

// Scorer computes scores of images. Measure has one for all its sets; it is for those who come
// back with one set at a time.
type Scorer struct {
	Options Options // with the temperature and the number of images that were fitted

	p         *predict.Predictor
	want      predict.Want
	gaussians *metrics.Gaussians
	bank      *metrics.Bank
}

// NewScorer prepares the scores of o, whose sets and limit don't matter. Those that compare
// with the training images or need a temperature run these images through the network first.
// Notes are sentences for the user.
func NewScorer(ctx context.Context, p *predict.Predictor, o Options, watch predict.Watch) (*Scorer, []string, error) {
	if len(o.Scores) == 0 {
		o.Scores = Published
	}
	for _, name := range o.Scores {
		if !slices.Contains(All, name) {
			return nil, nil, fmt.Errorf("no score %q; there are %s", name, strings.Join(All, ", "))
		}
	}
	o.ODIN, o.Neighbour = cmp.Or(o.ODIN, predict.PublishedODIN), cmp.Or(o.Neighbour, 50)
	s := &Scorer{Options: o, p: p, want: predict.Want{
		Gradients: o.uses("pxgrad"),
		Features:  o.uses("mahalanobis", "relative", "knn"),
	}}
	if o.uses("odin") {
		s.want.ODIN = &s.Options.ODIN
	}
	var notes []string
	if o.uses("msp") && o.Temperature == 0 {
		more, err := s.fitTemperature(ctx, watch)
		if notes = append(notes, more...); err != nil {
			return nil, notes, err
		}
	}
	if s.want.Features {
		more, err := s.fitFeatures(ctx, watch)
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
func (s *Scorer) fitTemperature(ctx context.Context, watch predict.Watch) ([]string, error) {
	s.Options.Temperature = 1
	valid, notes, err := s.p.Source().Images("valid", s.Options.Noise)
	if errors.Is(err, fault.ErrMissing) {
		return append(notes, "score msp at temperature 1: the run held out no images to fit it on"), nil
	}
	if err != nil {
		return notes, err
	}
	on, err := s.p.Gather(ctx, "valid", valid, predict.Want{}, watch)
	if err != nil {
		return notes, err
	}
	t, err := metrics.Temperature(on.Logits, on.Labels)
	if err != nil {
		return append(notes, fmt.Sprintf("score msp at temperature 1: %v", err)), nil
	}
	s.Options.Temperature = t
	if split := s.Options.Split; split == "valid" || split == "all" {
		notes = append(notes, fmt.Sprintf("the temperature of score msp is fitted on in-distribution images that it scores (--split %s)", split))
	}
	return notes, nil
}

// fitFeatures keeps what the scores in the space of features compare with.
func (s *Scorer) fitFeatures(ctx context.Context, watch predict.Watch) ([]string, error) {
	o := &s.Options
	train, notes, err := s.p.Source().Images("train", s.Options.Noise)
	if err != nil {
		return notes, err
	}
	if o.Split == "train" || o.Split == "all" {
		notes = append(notes, fmt.Sprintf("in-distribution images are compared with features of their own (--split %s): they look more in-distribution than others would", o.Split))
	}
	images := feed.Head(train.Images, o.FitImages)
	on, err := s.p.Gather(ctx, "features of train", images, predict.Want{Features: true}, watch)
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
			return notes, &fault.Error{Kind: fault.ErrBad, Reason: fmt.Sprintf("score knn: neighbour %d of %d training images", o.Neighbour, images.Len())}
		}
		s.bank, err = metrics.NewBank(on.Features)
	}
	return notes, err
}

// Score computes the scores of images, by name, and describes the set as about.
func (s *Scorer) Score(ctx context.Context, about string, images feed.Images, watch predict.Watch) (map[string][]float64, Set, error) {
	set := Set{Set: about, Images: images.Len()}
	if images.Len() == 0 {
		return nil, set, &fault.Error{Kind: fault.ErrMissing, Reason: about + ": no images to score"}
	}
	o, err := s.p.Gather(ctx, about, images, s.want, watch)
	if err != nil {
		return nil, set, err
	}
	set.Data = o.Digest
	all, err := s.of(o)
	if err != nil {
		return nil, set, fmt.Errorf("%s: %w", about, err)
	}
	return all, set, nil
}

// of computes the scores from a network's answers, by name.
func (s *Scorer) of(o *predict.Outputs) (map[string][]float64, error) {
	if _, err := metrics.Softmax(o.Logits); err != nil {
		return nil, err
	}
	all := map[string][]float64{}
	for n := range o.Logits.N {
		row := o.Logits.Row(n)
		all["px"] = append(all["px"], logPx(row))
		all["py"] = append(all["py"], predict.MaxProbability(row, 1))
		all["maxlogit"] = append(all["maxlogit"], slices.Max(row))
		if s.Options.Temperature > 0 {
			all["msp"] = append(all["msp"], predict.MaxProbability(row, s.Options.Temperature))
		}
	}
	for _, v := range o.GradNorm {
		all["pxgrad"] = append(all["pxgrad"], -v)
	}
	all["energy"], all["odin"] = all["px"], o.ODIN
	if s.want.Features {
		if err := s.ofFeatures(all, o.Features); err != nil {
			return nil, err
		}
	}
	for name := range all {
		if !s.Options.uses(name) {
			delete(all, name)
		}
	}
	return all, nil
}

// logPx is the LogSumExp of a row of logits.
func logPx(row []float64) float64 {
	top, sum := slices.Max(row), 0.0
	for _, v := range row {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
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
