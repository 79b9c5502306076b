package metrics

import "gonum.org/v1/gonum/mat"

// Moments gathers mean and covariance of features, batch after batch, in float64. Batches
// are merged by their means (Chan et al. 1983), so a large mean costs no digits. The zero
// value is empty.
type Moments struct {
	n       int
	mean    []float64
	scatter *mat.SymDense // Σ (x − mean)(x − mean)ᵀ
}

// Add takes in rows of features.
func (m *Moments) Add(features Table) error {
	if err := features.check(); err != nil {
		return err
	}
	if m.n == 0 {
		m.mean, m.scatter = make([]float64, features.K), mat.NewSymDense(features.K, nil)
	}
	if features.K != len(m.mean) {
		return inputf("%d features a row, there were %d before", features.K, len(m.mean))
	}
	center := make([]float64, features.K)
	for n := range features.N {
		for k, v := range features.Row(n) {
			center[k] += v / float64(features.N)
		}
	}
	centred := mat.NewDense(features.N, features.K, nil)
	for n := range features.N {
		for k, v := range features.Row(n) {
			centred.Set(n, k, v-center[k])
		}
	}
	var scatter mat.SymDense
	scatter.SymOuterK(1, centred.T())
	m.scatter.AddSym(m.scatter, &scatter)
	m.merge(center, features.N)
	return nil
}

// merge moves the mean towards that of n more rows.
func (m *Moments) merge(center []float64, n int) {
	total := float64(m.n + n)
	shift := make([]float64, len(center))
	for k := range shift {
		shift[k] = center[k] - m.mean[k]
		m.mean[k] += shift[k] * float64(n) / total
	}
	m.scatter.SymRankOne(m.scatter, float64(m.n)*float64(n)/total, mat.NewVecDense(len(shift), shift))
	m.n += n
}

// N is the number of rows.
func (m *Moments) N() int { return m.n }

// Mean returns a copy of the mean.
func (m *Moments) Mean() []float64 { return append([]float64(nil), m.mean...) }

// Covariance returns the unbiased covariance (divisor N−1) of at least two rows.
func (m *Moments) Covariance() (*mat.SymDense, error) {
	if m.n < 2 {
		return nil, inputf("the covariance of %d rows, want at least 2", m.n)
	}
	var c mat.SymDense
	c.ScaleSym(1/float64(m.n-1), m.scatter)
	return &c, nil
}
