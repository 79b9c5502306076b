package quality

import (
	"cmp"
	"fmt"
	"slices"

	"jem/internal/metrics"
	"jem/predict"
)

// group is a selection of the samples with the figures that are computed of it.
type group struct {
	of       string
	index    []int // ascending
	distance bool
	splits   int // of the Inception Score; 0: none
	pairs    bool
}

// groups are those of the protocol.
func (j *judging) groups() []group {
	all := make([]int, len(j.drawn.Class))
	for i := range all {
		all[i] = i
	}
	if j.o.Protocol == "dat" {
		return []group{{"all", all, true, min(10, len(all)), true}}
	}
	best, sure := top(j.drawn, 0.9), top(j.drawn, 0.1)
	splits := func(index []int) int { return max(1, len(index)/5000) } // as SADA-JEM
	return []group{
		{"the most confident 90 % of each predicted class", best, true, 0, false},
		{"the most confident 10 % of each predicted class", sure, false, splits(sure), false},
		{"all, unfiltered", all, true, splits(all), true},
	}
}

// top selects of every predicted class the share (rounded down) of highest confidence, in the
// samples' order; of equals the first.
func top(s *predict.Samples, share float64) (index []int) {
	byClass := map[int][]int{}
	for i, y := range s.Class {
		byClass[y] = append(byClass[y], i)
	}
	for _, members := range byClass {
		slices.SortStableFunc(members, func(a, b int) int { return cmp.Compare(s.Confidence[b], s.Confidence[a]) })
		index = append(index, members[:int(float64(len(members))*share)]...)
	}
	slices.Sort(index)
	return index
}

// name is what a figure may be called by a network's features.
func name(a About, published, other string) string {
	switch {
	case a.Published:
		return published
	case a.Mode != "":
		return other + " in features of Inception with unpublished weights"
	}
	return "classifier-feature " + other
}

// enough is how many samples there must be: fewer have no covariance, or no third neighbour.
const enough = metrics.Neighbours + 2

// figures are those of one group.
func (j *judging) figures(a About, g group, s *Tally, r *Reference) ([]Figure, error) {
	l := figures{a: a, g: g, s: s}
	if s.N() < enough {
		l.missing(fmt.Sprintf("too few samples, want at least %d", enough))
		return l.all, nil
	}
	if g.distance {
		done := j.long(a)
		distance, err := r.Frechet.Distance(s.Moments())
		if err != nil {
			return nil, err
		}
		done()
		f := l.add("FID", "distance", &distance)
		f.Against, f.Caution = r.Images, fewer(a, s.N(), r.Images)
	}
	if g.splits > 0 && a.Mode != "" {
		score, deviation := s.Score()
		f := l.add("Inception Score", "score", &score)
		f.Deviation, f.Splits = deviation, g.splits
	}
	if g.pairs {
		return l.all, l.pairs(r)
	}
	return l.all, nil
}

// fewer is a caution about a Fréchet distance from fewer images than give a covariance of d
// features full rank, d+1. The distance is biased upwards at any number, less the more there are.
func fewer(a About, samples, real int) string {
	n, which := samples, "samples"
	if real < samples {
		n, which = real, "real images"
	}
	if n > a.Features {
		return ""
	}
	return fmt.Sprintf("%d %s are too few for the covariance of %d features, so the distance is mostly bias; compare it only with one of as many, or take more than %d", n, which, a.Features, a.Features)
}

// figures is a list being made, of one group by one network.
type figures struct {
	a   About
	g   group
	s   *Tally
	all []Figure
}

// add appends a figure under the name that the network's weights allow.
func (l *figures) add(published, other string, value *float64) *Figure {
	l.all = append(l.all, Figure{Name: name(l.a, published, other), Value: value, Images: l.s.N(), Of: l.g.of})
	return &l.all[len(l.all)-1]
}

// missing says of each figure of the group why it isn't there.
func (l *figures) missing(why string) {
	if l.g.distance {
		l.add("FID", "distance", nil).Missing = why
	}
	if l.g.splits > 0 && l.a.Mode != "" {
		l.add("Inception Score", "score", nil).Missing = why
	}
}

// withoutInception lists the figures that are not computed for want of its weights.
func (j *judging) withoutInception() {
	for _, g := range j.groups() {
		l := figures{a: About{Published: true, Mode: "any"}, g: g, s: NewTally(len(g.index), 1, 0)}
		l.missing(j.o.NoInception)
		j.result.Figures = append(j.result.Figures, l.all...)
	}
}

// pairs adds what compares images one by one.
func (l *figures) pairs(r *Reference) error {
	rows := l.s.Rows()
	kid, err := metrics.KID(r.Rows, rows)
	if err != nil {
		return err
	}
	precision, recall, err := metrics.PrecisionRecall(r.Rows, rows, metrics.Neighbours)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		published, other string
		value            float64
	}{{"KID", "kernel distance", kid}, {"precision", "precision", precision}, {"recall", "recall", recall}} {
		made := l.add(f.published, f.other, &f.value)
		made.Images, made.Against = rows.N, r.Rows.N
	}
	return nil
}

// long tells of a distance that takes long, and returns what tells of its end.
func (j *judging) long(a About) func() {
	const many = 1000 // features: some seconds
	if a.Features < many {
		return func() {}
	}
	j.watch.Tell("distance", 0, 1)
	return func() { j.watch.Tell("distance", 1, 1) }
}
