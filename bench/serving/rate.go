// Package serving times what a service is made of: how many images a second a network answers by the size
// of the batch, and how many get their answers, and how soon, when many ask at once.
//
// Times are of the wall clock. Which network it is, and over which wire it is asked, is the caller's business.
package serving

import (
	"context"
	"slices"
	"time"

	"jem/backend/philox"
	"jem/predict"
)

// Rate is how fast a network answers batches of one size, each uploaded from the host and its answers
// downloaded.
type Rate struct {
	Images    int     `json:"images"`   // of a batch
	Backward  bool    `json:"gradient"` // with ∂log p(x)/∂x on the device and the approximate mass on the host
	Batches   int     `json:"batches"`  // measured
	Seconds   float64 `json:"seconds"`  // of a batch, median
	Least     float64 `json:"seconds_min"`
	PerSecond float64 `json:"images_per_second"` // over all batches
}

// Rates measures batches of noise of each of the sizes, at least so long each. Sizes beyond what the network
// is planned for are left out.
func Rates(ctx context.Context, p *predict.Predictor, sizes []int, backward bool, least time.Duration) (all []Rate, err error) {
	a := predict.NewAnswerer(p)
	defer a.Close()
	philox.New(1, 0, philox.Test).FillUniform(a.Images, -1, 1)
	for _, n := range sizes {
		if n > a.Rows() {
			continue
		}
		r, err := rate(ctx, a, n, backward, least)
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// fewest is how many batches are measured at least: a median of fewer is chance.
const fewest = 5

func rate(ctx context.Context, a *predict.Answerer, n int, backward bool, least time.Duration) (Rate, error) {
	asked := predict.Asked{Mass: backward}
	if _, err := a.Answer(n, asked); err != nil { // plans are made, memory is touched
		return Rate{}, err
	}
	var took []time.Duration
	begin := time.Now()
	for len(took) < fewest || time.Since(begin) < least {
		if err := ctx.Err(); err != nil {
			return Rate{}, err
		}
		start := time.Now()
		if _, err := a.Answer(n, asked); err != nil {
			return Rate{}, err
		}
		took = append(took, time.Since(start))
	}
	all := time.Since(begin)
	slices.Sort(took)
	return Rate{
		Images: n, Backward: backward, Batches: len(took), Seconds: quantile(took, 0.5), Least: took[0].Seconds(),
		PerSecond: float64(n*len(took)) / all.Seconds(),
	}, nil
}

// quantile of times in rising order, in seconds: the least one that so large a share doesn't exceed.
func quantile(rising []time.Duration, share float64) float64 {
	i := int(share*float64(len(rising))+1) - 1
	return rising[min(i, len(rising)-1)].Seconds()
}
