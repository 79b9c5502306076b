package ood

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"jem/feed"
	"jem/internal/metrics"
	"jem/predict"
)

// Options say which images to tell from which, by which scores. A result says the first four
// in words of its own.
type Options struct {
	Split string   `json:"-"` // the in-distribution images, one of feed.Splits; "": as feed.Source chooses
	Limit int      `json:"-"` // only the first so many images of each set; 0: all
	Noise float32  `json:"-"` // std of the pixel noise of all sets; 0: none
	Sets  []string `json:"-"` // the others, see Open

	Scores      []string     `json:"scores"`                    // of All; none: Published
	Temperature float64      `json:"temperature"`               // of msp; 0: fitted on the images that the run held out, or 1 where there are none
	ODIN        predict.ODIN `json:"odin"`                      // zero: as published
	Neighbour   int          `json:"neighbour"`                 // k of knn; 0: OpenOOD's 50
	FitImages   int          `json:"fit_images"`                // training images that features are fitted on; 0: all
	FitData     string       `json:"fit_data_sha256,omitempty"` // of these images, filled in by NewScorer
}

// Result is a table of figures.
type Result struct {
	predict.Subject
	predict.Protocol
	In          string            `json:"in_distribution"`
	Orientation string            `json:"orientation"`
	Scores      map[string]string `json:"scores"` // what they mean
	Scorer      Options           `json:"scorer"` // with the temperature and the number of images that were fitted
	Sets        []Set             `json:"sets"`
	Figures     []Figure          `json:"figures"`
	Groups      []Mean            `json:"groups"`
	Notes       []string          `json:"-"` // sentences for the user, there after an error, too

	in  map[string][]float64            // the in-distribution images' scores, for Charts
	out map[string]map[string][]float64 // those of each set
}

// Set is a set of images that was told from the in-distribution ones, or says why not.
type Set struct {
	Set     string `json:"set"`
	Group   string `json:"group"`
	Images  int    `json:"images"`
	Data    string `json:"data_sha256"`
	Seen    bool   `json:"seen,omitempty"`    // its images, or such as they, were outliers in training: no test, and in no group
	Missing string `json:"missing,omitempty"` // why the images couldn't be had; there are no figures then
}

// Figure is how well a score tells one set from the in-distribution images.
type Figure struct {
	Set   string `json:"set"`
	Group string `json:"group"` // near, far or "", see groups
	Score string `json:"score"`
	metrics.Detection
}

// What results say of themselves.
const (
	protocol    = "all images of both sets with the run's evaluation noise, one pass of the network each, two for odin; features compared with training images without augmentation"
	orientation = "in-distribution is positive, a higher score means more in-distribution; fpr95: OOD images passed at 95 % of the in-distribution ones; fpr95_out: the reverse"
)

// Measure tells each set from the in-distribution images by each score, until ctx ends. All
// sets are opened first, before the hours that scores may take. One that can't be had is said to be
// missing, and is an error only where there is no other.
func Measure(ctx context.Context, p *predict.Predictor, o Options, watch predict.Watch) (Result, error) {
	r := Result{Subject: p.Subject(o.Noise), Orientation: orientation, Scores: map[string]string{}}
	own, others, err := r.open(p, &o)
	if err != nil {
		return r, err
	}
	s, notes, err := NewScorer(ctx, p, o, watch)
	r.Notes = append(r.Notes, notes...)
	if err != nil {
		return r, err
	}
	in, set, err := s.Score(ctx, o.Split, own, watch)
	if err != nil {
		return r, err
	}
	r.In, r.Scorer = r.Subject.Data+" "+o.Split, s.Options
	r.Protocol = predict.Protocol{Text: protocol, DataHash: set.Data, Samples: set.Images}
	for _, name := range s.Options.Scores {
		r.Scores[name] = meanings[name]
	}
	for i, name := range o.Sets {
		if others[i].missing != nil {
			r.Sets = append(r.Sets, Set{Set: name, Group: group(r.Subject.Data, name), Missing: strings.ReplaceAll(others[i].missing.Error(), "\n", "; ")})
			continue
		}
		out, set, err := s.Score(ctx, name, others[i].Images, watch)
		if err != nil {
			return r, err
		}
		set.Seen = others[i].Seen
		if err := r.add(set, in, out); err != nil {
			return r, err
		}
	}
	return r, nil
}

// other is a set that was opened, or why it couldn't be.
type other struct {
	Opened
	missing error
}

// open opens the in-distribution images, which o then names, and the sets, of which there must be one.
func (r *Result) open(p *predict.Predictor, o *Options) (own feed.Images, others []other, err error) {
	part, notes, err := p.Source().Images(o.Split, o.Noise)
	if r.Notes = notes; err != nil {
		return nil, nil, err
	}
	o.Split = part.Split
	var missing []error
	for _, name := range o.Sets {
		images, notes, err := Open(p, name, *o)
		r.Notes = append(r.Notes, notes...)
		if err != nil {
			missing = append(missing, err)
		}
		others = append(others, other{images, err})
	}
	if len(missing) == len(o.Sets) {
		return nil, nil, errors.Join(missing...)
	}
	return feed.Head(part.Images, o.Limit), others, nil
}

// add compares the scores of the in-distribution images with those of a set and adds the
// figures and means.
func (r *Result) add(set Set, in, out map[string][]float64) error {
	figures, err := Detect(set.Set, in, out)
	if err != nil {
		return err
	}
	if !set.Seen {
		set.Group = group(r.Subject.Data, set.Set)
	}
	r.Sets = append(r.Sets, set)
	for _, f := range figures {
		f.Group = set.Group
		r.Figures = append(r.Figures, f)
	}
	r.Groups = means(r.Figures)
	if r.in = in; r.out == nil {
		r.out = map[string]map[string][]float64{}
	}
	r.out[set.Set] = out
	return nil
}

// Detect compares the scores of the in-distribution images with those of a set: a figure
// for each score that both have, in the order of All.
func Detect(set string, in, out map[string][]float64) ([]Figure, error) {
	var all []Figure
	for _, score := range All {
		if in[score] == nil || out[score] == nil {
			continue
		}
		d, err := metrics.Detect(in[score], out[score])
		if err != nil {
			return nil, fmt.Errorf("score %s of %s: %w", score, set, err)
		}
		all = append(all, Figure{Set: set, Score: score, Detection: d})
	}
	return all, nil
}
