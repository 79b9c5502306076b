package metrics

import "math"

// InceptionScore is exp(mean KL(p(y|x) ‖ p(y))) over the class probabilities that a network
// gives to samples (Salimans et al. 2016), as mean and population standard deviation over
// splits: rows i·N/splits to (i+1)·N/splits, each with its own p(y). It lies in [1,K] and
// grows with the number of rows a split. Only with the 2015 Inception network is it the
// published score. 0·log 0 counts as 0.
func InceptionScore(p Table, splits int) (average, deviation float64, err error) {
	if err := p.probabilities(); err != nil {
		return 0, 0, err
	}
	if splits < 1 || splits > p.N {
		return 0, 0, inputf("%d splits of %d rows, want 1 to %d", splits, p.N, p.N)
	}
	scores := make([]float64, splits)
	for i := range scores {
		lo, hi := i*p.N/splits, (i+1)*p.N/splits
		scores[i] = splitScore(Table{N: hi - lo, K: p.K, Data: p.Data[lo*p.K : hi*p.K]})
	}
	average, deviation = Spread(scores)
	return average, deviation, nil
}

// Spread is the mean and the population standard deviation of numbers.
func Spread(values []float64) (average, deviation float64) {
	average = mean(values)
	for _, v := range values {
		deviation += (v - average) * (v - average)
	}
	return average, math.Sqrt(deviation / float64(len(values)))
}

func splitScore(p Table) float64 {
	marginal := make([]float64, p.K)
	for n := range p.N {
		for k, v := range p.Row(n) {
			marginal[k] += v / float64(p.N)
		}
	}
	divergence := 0.0
	for n := range p.N {
		for k, v := range p.Row(n) {
			if v > 0 {
				divergence += v * math.Log(v/marginal[k])
			}
		}
	}
	return math.Exp(divergence / float64(p.N))
}
