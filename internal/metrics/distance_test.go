package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestInceptionScoreByHand(t *testing.T) {
	sharp := table([]float64{1, 0}, []float64{0, 1}, []float64{1, 0}, []float64{0, 1})
	score, deviation, err := InceptionScore(sharp, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "two sure classes", score, 2)
	near(t, "deviation", deviation, 0)
	// The first split sees one class (score 1), the second both (score 2).
	score, deviation, err = InceptionScore(table([]float64{1, 0}, []float64{1, 0}, []float64{1, 0}, []float64{0, 1}), 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", score, 1.5)
	near(t, "population deviation", deviation, 0.5)
	for _, splits := range []int{0, 5} {
		_, _, err := InceptionScore(sharp, splits)
		refused(t, "splits", err)
	}
}

// Along one axis the distance is (μ₁−μ₂)² + (σ₁−σ₂)²: means 1 and 6, deviations √2 and 2√2.
func TestFrechetByHand(t *testing.T) {
	x, y := table([]float64{0}, []float64{2}), table([]float64{4}, []float64{8})
	near(t, "distance", must(FrechetDistance(x, y)), 25+2)
	_, err := FrechetDistance(table([]float64{0}), y)
	refused(t, "one row", err)
	_, err = FrechetDistance(x, table([]float64{1, 2}, []float64{3, 4}))
	refused(t, "two widths", err)
}

func gaussian(rng *rand.Rand, n, k int, shift float64) Table {
	t := Table{N: n, K: k, Data: make([]float64, n*k)}
	for i := range t.Data {
		t.Data[i] = rng.NormFloat64() + shift
	}
	return t
}

// Fewer rows than features make singular covariances: no error, and symmetric still. A root
// of an eigenvalue that is 0 but for rounding is off by √(1e−16) each, ten of them here.
func TestFrechetOfSingularCovariances(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	x, y := gaussian(rng, 6, 16, 0), gaussian(rng, 9, 16, 1)
	there, back := must(FrechetDistance(x, y)), must(FrechetDistance(y, x))
	if math.Abs(there-back) > 1e-6 || there < 8 {
		t.Errorf("got %v and %v", there, back)
	}
	if d := must(FrechetDistance(x, x)); d > 1e-6 {
		t.Errorf("to itself: %v", d)
	}
}

// The mean is a million deviations away: in one sum of squares it would cost all digits. The
// features themselves are rounded to 1e−10 there.
func TestMomentsDoNotDependOnBatches(t *testing.T) {
	all := gaussian(rand.New(rand.NewPCG(9, 10)), 50, 3, 1e6)
	var whole, parts Moments
	for lo := 0; lo < 50; lo += 20 {
		hi := min(lo+20, 50)
		if err := parts.Add(Table{hi - lo, 3, all.Data[lo*3 : hi*3]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := whole.Add(all); err != nil {
		t.Fatal(err)
	}
	a, b := must(whole.Covariance()), must(parts.Covariance())
	for i := range 3 {
		for j := range 3 {
			if math.Abs(a.At(i, j)-b.At(i, j)) > 1e-8 {
				t.Errorf("(%d,%d): got %v and %v", i, j, a.At(i, j), b.At(i, j))
			}
		}
	}
	if parts.N() != 50 {
		t.Errorf("got %d rows", parts.N())
	}
}

// With one feature the kernel of a and b is (ab+1)³: pairs (0,1) give 1, (1,2) give 27,
// across they give 1, 1, 8, 27.
func TestKIDByHand(t *testing.T) {
	x, y := table([]float64{0}, []float64{1}), table([]float64{1}, []float64{2})
	near(t, "KID", must(KID(x, y)), 1+27-2*(1+1+8+27)/4.0)
	_, err := KID(x, table([]float64{1}))
	refused(t, "one row", err)
}

func TestPrecisionRecallByHand(t *testing.T) {
	real := table([]float64{0}, []float64{1}, []float64{10})
	fake := table([]float64{0.5}, []float64{2}, []float64{30})
	// To their nearest other: real balls 0±1, 1±1, 10±9; generated 0.5±1.5, 2±1.5, 30±28.
	precision, recall, err := PrecisionRecall(real, fake, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "precision", precision, 2.0/3)
	near(t, "recall", recall, 1)
	_, _, err = PrecisionRecall(real, fake, 3)
	refused(t, "too many neighbours", err)
}

func TestDistancesIgnoreTheOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	x, y := gaussian(rng, 40, 4, 0), gaussian(rng, 30, 4, 0.5)
	reversed := Table{x.N, x.K, nil}
	for i := x.N - 1; i >= 0; i-- {
		reversed.Data = append(reversed.Data, x.Row(i)...)
	}
	near(t, "Fréchet", must(FrechetDistance(reversed, y)), must(FrechetDistance(x, y)))
	near(t, "KID", must(KID(reversed, y)), must(KID(x, y)))
}

// A prepared side gives the same distance after it was written and read, bit for bit; anything
// else is refused.
func TestFrechetIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	var real, other Moments
	if err := real.Add(gaussian(rng, 9, 5, 0)); err != nil {
		t.Fatal(err)
	}
	if err := other.Add(gaussian(rng, 7, 5, 1)); err != nil {
		t.Fatal(err)
	}
	f := must(NewFrechet(&real))
	b := must(f.MarshalBinary())
	var again Frechet
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if got, want := must(again.Distance(&other)), must(f.Distance(&other)); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, wrong := range [][]byte{nil, b[:8], b[:len(b)-1], append(b[:len(b):len(b)], 0), make([]byte, 24)} {
		refused(t, "bytes", new(Frechet).UnmarshalBinary(wrong))
	}
}

// Of a known rank and of full rank, the factor gives the covariance back. Sums of up to 12
// products of numbers around 1.
func TestFactorGivesTheCovarianceBack(t *testing.T) {
	for _, rows := range []int{2, 6, 40} {
		var m Moments
		if err := m.Add(gaussian(rand.New(rand.NewPCG(13, uint64(rows))), rows, 12, 0)); err != nil {
			t.Fatal(err)
		}
		c := must(m.Covariance())
		f := factorize(c)
		if rank, _ := f.Dims(); rank != min(rows-1, 12) {
			t.Errorf("%d rows have rank %d", rows, rank)
		}
		for i := range 12 {
			for j := range 12 {
				sum := 0.0
				for k := range f.RawMatrix().Rows {
					sum += f.At(k, i) * f.At(k, j)
				}
				if math.Abs(sum-c.At(i, j)) > 1e-13 {
					t.Errorf("%d rows: (%d,%d) is %g, want %g", rows, i, j, sum, c.At(i, j))
				}
			}
		}
	}
}
