package page

import (
	"math"

	"jem/serve/verdict"
)

// histogram is how log p(x) is distributed over sets of images, the model's own first.
type histogram struct {
	Low   float64        `json:"low"`   // of the first bin
	Width float64        `json:"width"` // of each
	Sets  []distribution `json:"sets"`
}

type distribution struct {
	Name   string    `json:"name"`
	Images int       `json:"images"`
	Seen   bool      `json:"seen"`   // the network was trained to tell such images from its own
	Shares []float64 `json:"shares"` // of the set's images, by bin
}

// What is shown of sets. Some 20 images of the own set in a bin on average let its shape show through the noise; what lies
// beyond the tails, a few images in a thousand, must not take the room from all others.
const (
	perBin             = 20
	leastBins, ownBins = 10, 48
	mostBins           = 160
	tail               = 0.002
)

// histogramOf bins sets alike; nil where there is nothing of the model's own to compare with.
func histogramOf(r verdict.Reference) *histogram {
	own := len(r.Own.LogPx)
	if own == 0 {
		return nil
	}
	lo, hi := between(r.Own)
	width := (hi - lo) / float64(min(max(own/perBin, leastBins), ownBins))
	for _, s := range r.Unknown {
		if len(s.LogPx) > 0 {
			l, h := between(s)
			lo, hi = min(lo, l), max(hi, h)
		}
	}
	if hi == lo {
		lo, hi = lo-0.5, hi+0.5
	}
	bins := int(min(mostBins, math.Ceil((hi-lo)/max(width, (hi-lo)/mostBins)-1e-9)))
	h := &histogram{Low: lo, Width: (hi - lo) / float64(bins)}
	for _, s := range append([]verdict.Set{r.Own}, r.Unknown...) {
		if n := len(s.LogPx); n > 0 {
			h.Sets = append(h.Sets, distribution{s.Name, n, s.Seen, s.Histogram(float32(lo), float32(hi), bins)})
		}
	}
	return h
}

// between is where a set lies but for its tails.
func between(s verdict.Set) (lo, hi float64) {
	n := len(s.LogPx)
	at := int(tail * float64(n))
	return float64(s.LogPx[at]), float64(s.LogPx[n-1-at])
}
