package metrics

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// Frechet is one side of Fréchet distances, prepared for many: the root of a covariance is
// most of the work.
type Frechet struct {
	mean  []float64
	root  *mat.SymDense // Σ^½
	trace float64       // of Σ
}

// NewFrechet prepares the distances to a set of features, usually those of real images.
func NewFrechet(reference *Moments) (*Frechet, error) {
	c, err := reference.Covariance()
	if err != nil {
		return nil, err
	}
	root, err := squareRoot(c)
	return &Frechet{mean: reference.Mean(), root: root, trace: mat.Trace(c)}, err
}

// Distance is the Fréchet distance of two normal distributions,
//
//	‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½),
//
// with unbiased covariances (Heusel et al. 2017). It is known as FID where the features are
// the 2048 of the 2015 Inception network, and only there. (Σ₁Σ₂)^½ has the eigenvalues of
// the symmetric (Σ₁^½·Σ₂·Σ₁^½)^½, so no complex root occurs, and covariances may be
// singular: eigenvalues that rounding makes negative count as 0. So does a distance.
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
	half.Mul(f.root, c)
	product.Mul(&half, f.root)
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

// squareRoot is s^½ of a positive semidefinite matrix.
func squareRoot(s *mat.SymDense) (*mat.SymDense, error) {
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		return nil, inputf("the eigenvectors of a covariance were not found")
	}
	var v, scaled, root mat.Dense
	e.VectorsTo(&v)
	values := e.Values(nil)
	scaled.Apply(func(_, j int, x float64) float64 { return x * math.Sqrt(max(0, values[j])) }, &v)
	root.Mul(&scaled, v.T())
	return symmetric(&root), nil
}
