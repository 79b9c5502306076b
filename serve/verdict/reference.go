package verdict

import (
	"context"
	"math"
	"slices"
	"sort"

	"jem/feed"
	"jem/model"
	"jem/predict"
)

// Reference is what log p(x) of a single image is compared with.
type Reference struct {
	Own     Set   // images like those of training, not trained on; empty where none are known
	Unknown []Set // of other sets
}

// Set are the log p(x) + log Z of a set's images.
type Set struct {
	Name  string
	LogPx []float32 // ascending
	Seen  bool      // the network was trained to tell such images from its own
	Data  string    // SHA-256 of the images that the network was asked about
}

// Measure asks the network about a set's images, on the device's goroutine. Images whose log p(x) is no finite number
// are left out.
func Measure(ctx context.Context, p *predict.Predictor, name string, images feed.Images, watch predict.Watch) (Set, error) {
	o, err := p.Gather(ctx, name, images, predict.Want{}, watch)
	if err != nil {
		return Set{}, err
	}
	return SetOf(name, o, 0), nil
}

// SetOf is a set of images that the network was asked about, of the first n of them unless n is 0. Those whose log p(x) is no finite
// number are left out.
func SetOf(name string, o *predict.Outputs, n int) Set {
	s := Set{Name: name, Data: o.Digest}
	if n == 0 || n > o.Logits.N {
		n = o.Logits.N
	}
	row := make([]float32, o.Logits.K)
	for i := range n {
		for k, v := range o.Logits.Row(i) {
			row[k] = float32(v)
		}
		if v := model.LogSumExp(row); !math.IsNaN(v) && !math.IsInf(v, 0) {
			s.LogPx = append(s.LogPx, float32(v))
		}
	}
	slices.Sort(s.LogPx)
	return s
}

// Share is the share in [0,1] of the set's images with a log p(x) of at most so much; NaN of none.
func (s Set) Share(logPx float32) float64 {
	if len(s.LogPx) == 0 {
		return math.NaN()
	}
	return float64(sort.Search(len(s.LogPx), func(i int) bool { return s.LogPx[i] > logPx })) / float64(len(s.LogPx))
}

// Range is the least and the largest log p(x) of all sets; false where there is none.
func (r Reference) Range() (lo, hi float32, ok bool) {
	for _, s := range append([]Set{r.Own}, r.Unknown...) {
		if n := len(s.LogPx); n > 0 {
			if !ok {
				lo, hi, ok = s.LogPx[0], s.LogPx[n-1], true
			}
			lo, hi = min(lo, s.LogPx[0]), max(hi, s.LogPx[n-1])
		}
	}
	return lo, hi, ok
}

// Histogram is the share of the set's images in each of so many bins of equal width from lo to hi; hi belongs to the
// last one, and what lies outside to none.
func (s Set) Histogram(lo, hi float32, bins int) []float64 {
	shares := make([]float64, bins)
	for _, v := range s.LogPx {
		if v < lo || v > hi {
			continue
		}
		bin := 0
		if hi > lo {
			bin = min(bins-1, int(float64(bins)*float64(v-lo)/float64(hi-lo)))
		}
		shares[bin] += 1 / float64(len(s.LogPx))
	}
	return shares
}
