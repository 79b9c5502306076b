package page

import "jem/serve/verdict"

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

const leastBins, mostBins = 10, 48

// histogramOf bins sets alike; nil where there is nothing of the model's own to compare with.
func histogramOf(r verdict.Reference) *histogram {
	lo, hi, ok := r.Range()
	if !ok || len(r.Own.LogPx) == 0 {
		return nil
	}
	if hi == lo {
		hi++
	}
	// Some 20 images of the own set in a bin on average, so that the shape shows through the noise.
	bins := min(max(len(r.Own.LogPx)/20, leastBins), mostBins)
	h := &histogram{Low: float64(lo), Width: (float64(hi) - float64(lo)) / float64(bins)}
	for _, s := range append([]verdict.Set{r.Own}, r.Unknown...) {
		if len(s.LogPx) > 0 {
			h.Sets = append(h.Sets, distribution{s.Name, len(s.LogPx), s.Seen, s.Histogram(lo, hi, bins)})
		}
	}
	return h
}
