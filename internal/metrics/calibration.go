package metrics

import (
	"math"
	"slices"
)

// Bins is the number of equal-width bins of the paper's reliability diagrams. The error
// depends on it: say which was used.
const Bins = 20

// Edge says into which of two bins a confidence falls that is exactly where they meet. No confidence
// of a trained network is known to lie there but 1, and that is in the last bin either way;
// figures of round numbers, as in other programs' tests, differ.
type Edge string

// The edges.
const (
	Below Edge = "below" // bins (lo,hi]: the paper's followers, Guo et al. 2017
	Above Edge = "above" // bins [lo,hi): torchmetrics, netcal
)

// Interval is how a bin of equal width is written.
func (e Edge) Interval() string {
	if e == Above {
		return "[lo,hi)"
	}
	return "(lo,hi]"
}

// Bin is what fell between two confidences: (Lo,Hi], or [Lo,Hi) where the edge belongs above.
type Bin struct {
	Lo         float64 `json:"lo"`
	Hi         float64 `json:"hi"`
	Count      int     `json:"count"`
	Confidence float64 `json:"confidence"` // mean; 0 in an empty bin
	Accuracy   float64 `json:"accuracy"`   // 0 in an empty bin
}

// Gap is |accuracy − confidence|.
func (b Bin) Gap() float64 { return math.Abs(b.Accuracy - b.Confidence) }

// Reliability is a reliability diagram, confidences in ascending order.
type Reliability []Bin

// Reliable sorts predictions into equal-width bins of their confidence, the largest entry of
// a row of p. A bin is (lo,hi], so that a confidence on an edge belongs to the bin below; 0
// belongs to the first.
func Reliable(p Table, labels []int, bins int) (Reliability, error) {
	return ReliableOn(p, labels, bins, Below)
}

// ReliableOn is Reliable with a choice of the bin that a confidence on an edge belongs to; 1
// belongs to the last in any case.
func ReliableOn(p Table, labels []int, bins int, edge Edge) (Reliability, error) {
	seen, err := judge(p, labels, bins)
	if err != nil {
		return nil, err
	}
	return evenly(seen, bins, edge), nil
}

// ReliableOf is Reliable of predictions that were judged elsewhere. It puts them in order.
func ReliableOf(seen []Verdict, bins int) Reliability {
	ascending(seen)
	return evenly(seen, bins, Below)
}

// evenly sorts verdicts, in ascending order of confidence, into bins of equal width.
func evenly(seen []Verdict, bins int, edge Edge) Reliability {
	r := make(Reliability, bins)
	for i := range r {
		r[i].Lo, r[i].Hi = float64(i)/float64(bins), float64(i+1)/float64(bins)
	}
	r.fill(seen, edge)
	return r
}

// ReliableByMass is Reliable with bins of as equal a count as possible: bin i ends at the
// confidence of rank ⌈(i+1)·N/bins⌉. Equal confidences stay together, so a bin may be
// empty. The first bin begins at 0. Its ECE is known as the adaptive ECE.
func ReliableByMass(p Table, labels []int, bins int) (Reliability, error) {
	seen, err := judge(p, labels, bins)
	if err != nil {
		return nil, err
	}
	r, lo := make(Reliability, bins), 0.0
	for i := range r {
		hi := seen[((i+1)*len(seen)+bins-1)/bins-1].Confidence
		r[i].Lo, r[i].Hi = lo, hi
		lo = hi
	}
	r.fill(seen, Below)
	return r, nil
}

// ECE is the expected calibration error, Σ_b (n_b/n)·|accuracy_b − confidence_b|, in [0,1].
func (r Reliability) ECE() float64 {
	sum, n := 0.0, 0
	for _, b := range r {
		sum += float64(b.Count) * b.Gap()
		n += b.Count
	}
	return sum / float64(max(1, n))
}

// MCE is the largest gap of a bin that isn't empty, however few it holds.
func (r Reliability) MCE() float64 {
	worst := 0.0
	for _, b := range r {
		if b.Count > 0 {
			worst = max(worst, b.Gap())
		}
	}
	return worst
}

// Verdict is a prediction's confidence and whether it was right.
type Verdict struct {
	Confidence float64
	Right      bool
}

// judge returns the verdicts in ascending order of confidence.
func judge(p Table, labels []int, bins int) ([]Verdict, error) {
	if err := p.labelled(labels); err != nil {
		return nil, err
	}
	if err := p.probabilities(); err != nil {
		return nil, err
	}
	if bins < 1 {
		return nil, inputf("%d bins, want at least 1", bins)
	}
	seen := make([]Verdict, p.N)
	for n, y := range labels {
		k := largest(p.Row(n))
		seen[n] = Verdict{p.Row(n)[k], k == y}
	}
	ascending(seen)
	return seen, nil
}

// ascending puts verdicts in order of confidence.
func ascending(seen []Verdict) {
	slices.SortFunc(seen, func(a, b Verdict) int {
		switch {
		case a.Confidence < b.Confidence:
			return -1
		case a.Confidence > b.Confidence:
			return 1
		case a.Right == b.Right:
			return 0
		case b.Right: // equal numbers in one order, so that no sum depends on that of the input
			return -1
		}
		return 1
	})
}

// fill counts verdicts, in ascending order of confidence, into bins.
func (r Reliability) fill(seen []Verdict, edge Edge) {
	i := 0
	for _, v := range seen {
		for i < len(r)-1 && (v.Confidence > r[i].Hi || edge == Above && v.Confidence == r[i].Hi) {
			i++
		}
		r[i].Count++
		r[i].Confidence += v.Confidence
		if v.Right {
			r[i].Accuracy++
		}
	}
	for i := range r {
		n := float64(max(1, r[i].Count))
		r[i].Confidence /= n
		r[i].Accuracy /= n
	}
}
