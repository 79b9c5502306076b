package metrics

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Frechet is one side of Fréchet distances, prepared for many.
type Frechet struct {
	mean   []float64
	factor *mat.Dense // F (r,d) with FᵀF = Σ of rank r
	trace  float64    // of Σ
}

// NewFrechet prepares the distances to a set of features, usually those of real images.
func NewFrechet(reference *Moments) (*Frechet, error) {
	c, err := reference.Covariance()
	if err != nil {
		return nil, err
	}
	return &Frechet{mean: reference.Mean(), factor: factorize(c), trace: mat.Trace(c)}, nil
}

// Distance is the Fréchet distance of two normal distributions,
//
//	‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½),
//
// with unbiased covariances (Heusel et al. 2017). It is known as FID where the features are
// the 2048 of the 2015 Inception network, and only there. With any factor Σ₁ = FᵀF, (Σ₁Σ₂)^½ has
// the eigenvalues of the symmetric (F·Σ₂·Fᵀ)^½, so no complex root occurs, no eigenvectors are
// needed (for 2048 features they take gonum over a minute), and covariances may be singular:
// eigenvalues that rounding makes negative count as 0. So does a distance.
func (f *Frechet) Distance(m *Moments) (float64, error) {
	c, err := m.Covariance()
	if err != nil {
		return 0, err
	}
	d := len(f.mean)
	if len(m.mean) != d {
		return 0, inputf("%d features against %d", len(m.mean), d)
	}
	var half, product mat.Dense
	half.Mul(f.factor, c)
	product.Mul(&half, f.factor.T())
	values, err := eigenvalues(symmetric(&product))
	if err != nil {
		return 0, err
	}
	distance := f.trace + mat.Trace(c)
	for k, v := range f.mean {
		distance += (v - m.mean[k]) * (v - m.mean[k])
	}
	for _, v := range values {
		distance -= 2 * math.Sqrt(max(0, v))
	}
	return max(0, distance), nil
}

// FrechetDistance is the distance of two tables of features.
func FrechetDistance(x, y Table) (float64, error) {
	var mx, my Moments
	if err := mx.Add(x); err != nil {
		return 0, err
	}
	if err := my.Add(y); err != nil {
		return 0, err
	}
	f, err := NewFrechet(&mx)
	if err != nil {
		return 0, err
	}
	return f.Distance(&my)
}

// symmetric is (a + aᵀ)/2, which is a but for rounding.
func symmetric(a *mat.Dense) *mat.SymDense {
	n, _ := a.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	return s
}

func eigenvalues(s *mat.SymDense) ([]float64, error) {
	var e mat.EigenSym
	if !e.Factorize(s, false) {
		return nil, inputf("the eigenvalues of a covariance were not found")
	}
	return e.Values(nil), nil
}

// factorize returns F (r,d) with FᵀF = s, positive semidefinite of rank r (at least 1 row), by
// pivoted Cholesky decomposition: s[p[i],p[j]] = Σ_k U[k,i]·U[k,j].
func factorize(s *mat.SymDense) *mat.Dense {
	var c mat.PivotedCholesky
	c.Factorize(s, -1) // false where the rank isn't full, which is no trouble
	u, pivots, rank := c.RawU(), c.ColumnPivots(nil), max(1, c.Rank())
	f := mat.NewDense(rank, len(pivots), nil)
	for k := range rank {
		for i := k; i < len(pivots); i++ {
			f.Set(k, pivots[i], u.At(k, i))
		}
	}
	return f
}
