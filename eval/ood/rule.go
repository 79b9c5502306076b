package ood

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
)

// Rule says of single images whether they are unusual, by one score beside those of images that
// the run held out: a conformal test (Bates et al. 2023, Testing for outliers with conformal
// p-values). Of images like the held-out ones it takes at most the share FalseAlarms for unusual, on
// average over draws of the held-out images; how many others it finds is for Measure to say.
type Rule struct {
	ByScore     string  `json:"score"`
	FalseAlarms float64 `json:"false_alarms"`    // α: the share of usual images that may be called unusual
	HeldOut     int     `json:"held_out_images"` // that it was fitted on
	Data        string  `json:"data_sha256"`     // of these
	Threshold   float64 `json:"threshold"`       // a lower score is unusual

	scorer *Scorer
	sorted []float64 // scores of the held-out images, ascending
}

// Ruling are the scores that a rule may be of: odin wants images moved, which who only scores
// doesn't do.
var Ruling = slices.DeleteFunc(slices.Clone(All), func(s string) bool { return s == "odin" })

// FitRule fits a rule by a score of Ruling, 0 < falseAlarms < 1, on the held-out images without
// pixel noise. Too few of them for so small a share are a *fault.Error. Notes are sentences for the user.
func FitRule(ctx context.Context, p *predict.Predictor, score string, falseAlarms float64, watch predict.Watch) (*Rule, []string, error) {
	held, notes, err := p.Source().Images("valid", 0)
	if errors.Is(err, fault.ErrMissing) {
		return nil, notes, &fault.Error{Path: p.Checkpoint, Kind: fault.ErrMissing, Reason: "no held-out images are known, which a rule is fitted on: it wants a run that was trained with data.valid or data.valid_share"}
	}
	if err != nil {
		return nil, notes, err
	}
	r := &Rule{ByScore: score, FalseAlarms: falseAlarms, HeldOut: held.Images.Len()}
	if err := r.possible(); err != nil { // before the scores of all training images
		return nil, notes, err
	}
	s, more, err := NewScorer(ctx, p, Options{Scores: []string{score}}, watch)
	if notes = append(notes, more...); err != nil {
		return nil, notes, err
	}
	r.scorer = s
	return r, notes, r.fit(ctx, held.Images, watch)
}

// possible refuses a share of false alarms that so few held-out images can't keep: not even one as unusual
// as none of them would be called unusual.
func (r *Rule) possible() error {
	if r.p(0) > r.FalseAlarms {
		return &fault.Error{Kind: fault.ErrBad, Reason: fmt.Sprintf("a rule with a share of %g false alarms wants %.0f held-out images, and there are %d: train with a larger data.valid_share, or allow more false alarms (--false-alarms)",
			r.FalseAlarms, math.Ceil(1/r.FalseAlarms)-1, r.HeldOut)}
	}
	return nil
}

func (r *Rule) fit(ctx context.Context, held feed.Images, watch predict.Watch) error {
	all, set, err := r.scorer.Score(ctx, "held-out images", held, watch)
	if err != nil {
		return err
	}
	r.Data, r.sorted = set.Data, all[r.ByScore]
	slices.Sort(r.sorted)
	r.Threshold = r.sorted[sort.Search(r.HeldOut, func(n int) bool { return r.p(n) > r.FalseAlarms })-1]
	return nil
}

// p is the p-value of an image whose score that of n held-out images doesn't exceed.
func (r *Rule) p(n int) float64 { return float64(n+1) / float64(r.HeldOut+1) }

// Wants is what predict.Score must keep for Judge, nothing for a nil rule.
func (r *Rule) Wants() predict.Want {
	if r == nil {
		return predict.Want{}
	}
	return predict.Want{Features: r.scorer.want.Features}
}

// Verdict is what a rule says of an image.
type Verdict struct {
	Score   float64 `json:"score"`
	P       float64 `json:"p_value"` // share of held-out images, and itself, that look as unusual or more
	Unusual bool    `json:"unusual"` // p_value is at most false_alarms
}

// Judge applies the rule to images that were scored, one verdict each.
func (r *Rule) Judge(s *predict.Scores) ([]Verdict, error) {
	o, err := s.Outputs()
	if err != nil {
		return nil, err
	}
	all, err := r.scorer.of(o)
	if err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, s.Len())
	for i, v := range all[r.ByScore] {
		verdicts[i] = r.verdict(v)
	}
	return verdicts, nil
}

func (r *Rule) verdict(score float64) Verdict {
	p := r.p(sort.Search(len(r.sorted), func(i int) bool { return r.sorted[i] > score }))
	return Verdict{Score: score, P: p, Unusual: p <= r.FalseAlarms}
}
