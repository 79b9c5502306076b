package metrics

import "gonum.org/v1/gonum/floats"

// KID is the squared maximum mean discrepancy of two sets of features with the kernel
// (x·y/d + 1)³ (Bińkowski et al. 2018), by the unbiased estimator over all pairs: no
// subsets, so no randomness. It may be below 0 for equal distributions. Known as KID where
// the features are those of the 2015 Inception network.
func KID(x, y Table) (float64, error) {
	if err := pairable(x, y); err != nil {
		return 0, err
	}
	if x.N < 2 || y.N < 2 {
		return 0, inputf("%d and %d rows, want at least 2 each", x.N, y.N)
	}
	return within(x) + within(y) - 2*across(x, y), nil
}

// pairable checks two tables of one width.
func pairable(x, y Table) error {
	if err := x.check(); err != nil {
		return err
	}
	if err := y.check(); err != nil {
		return err
	}
	if x.K != y.K {
		return inputf("%d features against %d", x.K, y.K)
	}
	return nil
}

func kernel(a, b []float64) float64 {
	v := floats.Dot(a, b)/float64(len(a)) + 1
	return v * v * v
}

// within is the mean over pairs of different rows.
func within(t Table) float64 {
	sum := 0.0
	for i := range t.N {
		row := 0.0
		for j := range i {
			row += kernel(t.Row(i), t.Row(j))
		}
		sum += row
	}
	return 2 * sum / float64(t.N) / float64(t.N-1)
}

// across is the mean over all pairs of two tables.
func across(x, y Table) float64 {
	sum := 0.0
	for i := range x.N {
		row := 0.0
		for j := range y.N {
			row += kernel(x.Row(i), y.Row(j))
		}
		sum += row
	}
	return sum / float64(x.N) / float64(y.N)
}
