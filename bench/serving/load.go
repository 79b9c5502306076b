package serving

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Load is what clients got who each ask again as soon as they are answered.
type Load struct {
	Clients   int     `json:"clients"`
	Backward  bool    `json:"gradient"`
	Requests  int     `json:"requests"` // answered
	Images    int     `json:"images"`   // of a request
	PerSecond float64 `json:"images_per_second"`
	P50       float64 `json:"seconds_p50"` // of a request
	P90       float64 `json:"seconds_p90"`
	P99       float64 `json:"seconds_p99"`
}

// Drive has so many clients ask at once, at least so long, after one request each that isn't counted. ask is called from
// as many goroutines; its first error ends all.
func Drive(ctx context.Context, clients, images int, least time.Duration, ask func(ctx context.Context) error) (Load, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		everyone, first sync.WaitGroup
		mu              sync.Mutex
		took            []time.Duration
		begin           time.Time
		together        = make(chan struct{})
	)
	first.Add(clients)
	for range clients {
		everyone.Go(func() {
			if err := ask(ctx); err != nil {
				stop(err)
			}
			first.Done()
			<-together
			var own []time.Duration
			for ctx.Err() == nil && (own == nil || time.Since(begin) < least) {
				start := time.Now()
				if err := ask(ctx); err != nil {
					stop(err)
					break
				}
				own = append(own, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	first.Wait()
	begin = time.Now()
	close(together)
	everyone.Wait()
	spent := time.Since(begin)
	if err := context.Cause(ctx); err != nil {
		return Load{}, err
	}
	slices.Sort(took)
	return Load{
		Clients: clients, Requests: len(took), Images: images, PerSecond: float64(images*len(took)) / spent.Seconds(),
		P50: quantile(took, 0.5), P90: quantile(took, 0.9), P99: quantile(took, 0.99),
	}, nil
}
