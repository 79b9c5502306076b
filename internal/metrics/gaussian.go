package metrics

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// ridge is what is added to the diagonal of a covariance, as a share of its mean, so that
// features that hardly vary (or are linear functions of others) leave it invertible. It lies
// below what float32 features can tell: 2⁻²⁴ of their size, squared, is 4e−15 of a variance
// as large as the square, 1e−8 of one 4e−7 times that.
const ridge = 1e-8

// chunk is the number of rows that are centred at a time, which bounds the memory.
const chunk = 2000

// Gaussians are one normal distribution of features a class, with a covariance in common, and
// one of all features whatever their class: what the Mahalanobis scores compare with.
type Gaussians struct {
	means  Table         // (K,D) of the classes
	within *mat.Cholesky // of the covariance around the classes' means
	mean   []float64     // (D) of all
	total  *mat.Cholesky // of the covariance around it
}

// FitGaussians estimates them from features with labels 0 … classes−1 (Lee et al. 2018;
// covariances divided by N, as there). Every class needs a row.
func FitGaussians(features Table, labels []int, classes int) (*Gaussians, error) {
	if err := features.check(); err != nil {
		return nil, err
	}
	if len(labels) != features.N || classes < 1 {
		return nil, inputf("%d labels of %d classes for %d rows of features", len(labels), classes, features.N)
	}
	g := &Gaussians{means: Table{N: classes, K: features.K, Data: make([]float64, classes*features.K)}, mean: make([]float64, features.K)}
	counts := make([]float64, classes)
	for n, y := range labels {
		if y < 0 || y >= classes {
			return nil, inputf("label %d is %d, want 0 to %d", n, y, classes-1)
		}
		counts[y]++
		mean := g.means.Row(y)
		for k, v := range features.Row(n) {
			mean[k] += v
			g.mean[k] += v / float64(features.N)
		}
	}
	for y, count := range counts {
		if count == 0 {
			return nil, inputf("no features of class %d", y)
		}
		for k := range g.means.Row(y) {
			g.means.Row(y)[k] /= count
		}
	}
	var err error
	if g.within, err = around(features, func(n int) []float64 { return g.means.Row(labels[n]) }); err != nil {
		return nil, err
	}
	g.total, err = around(features, func(int) []float64 { return g.mean })
	return g, err
}

// around factors the covariance of features around the centre of each row.
func around(features Table, centre func(n int) []float64) (*mat.Cholesky, error) {
	cov := mat.NewSymDense(features.K, nil)
	for lo := 0; lo < features.N; lo += chunk {
		centred := mat.NewDense(min(chunk, features.N-lo), features.K, nil)
		for n := range centred.RawMatrix().Rows {
			c, row := centre(lo+n), centred.RawRowView(n)
			for k, v := range features.Row(lo + n) {
				row[k] = v - c[k]
			}
		}
		var part mat.SymDense
		part.SymOuterK(1/float64(features.N), centred.T())
		cov.AddSym(cov, &part)
	}
	floor := ridge * mat.Trace(cov) / float64(features.K)
	if !(floor > 0) {
		return nil, inputf("features do not vary: there is no covariance to measure distances with")
	}
	for k := range features.K {
		cov.SetSym(k, k, cov.At(k, k)+floor)
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		return nil, inputf("the covariance of %d features from %d rows is not positive definite", features.K, features.N)
	}
	return &chol, nil
}

// Scores returns for each row minus the squared Mahalanobis distance to the nearest class
// (Lee et al. 2018, at one layer), and that plus the squared distance to all features
// together, the relative score (Ren et al. 2021). Both are higher in the distribution.
func (g *Gaussians) Scores(features Table) (mahalanobis, relative []float64, err error) {
	if err := features.check(); err != nil {
		return nil, nil, err
	}
	if features.K != len(g.mean) {
		return nil, nil, inputf("%d features a row, fitted on %d", features.K, len(g.mean))
	}
	nearest := make([]float64, features.N)
	for n := range nearest {
		nearest[n] = math.Inf(1)
	}
	for y := range g.means.N {
		for n, d := range distances(g.within, features, g.means.Row(y)) {
			nearest[n] = min(nearest[n], d)
		}
	}
	for n, d := range distances(g.total, features, g.mean) {
		mahalanobis, relative = append(mahalanobis, -nearest[n]), append(relative, d-nearest[n])
	}
	return mahalanobis, relative, nil
}

// distances are (x−c)ᵀ·Σ⁻¹·(x−c) = ‖L⁻¹(x−c)‖² of the rows x, L the Cholesky factor of Σ.
func distances(sigma *mat.Cholesky, features Table, centre []float64) []float64 {
	centred := mat.NewDense(features.K, features.N, nil)
	for n := range features.N {
		for k, v := range features.Row(n) {
			centred.Set(k, n, v-centre[k])
		}
	}
	var l mat.TriDense
	sigma.LTo(&l)
	var solved mat.Dense
	// The factor of a positive definite matrix is not singular: an error only reports bad condition.
	_ = solved.Solve(&l, centred)
	out := make([]float64, features.N)
	for k := range features.K {
		for n, v := range solved.RawRowView(k) {
			out[n] += v * v
		}
	}
	return out
}
