package metrics

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// autoregressive chains x ← ρ·x + √(1−ρ²)·ε have mean 0, variance 1 and, for long chains, an
// effective sample size of N·(1−ρ)/(1+ρ).
func autoregressive(m, n int, rho float64, rng *rand.Rand) [][]float64 {
	chains := make([][]float64, m)
	for i := range chains {
		x := rng.NormFloat64()
		for range n {
			chains[i] = append(chains[i], x)
			x = rho*x + math.Sqrt(1-rho*rho)*rng.NormFloat64()
		}
	}
	return chains
}

// With a fixed generator the numbers don't change. The estimate's standard error for N = 8000
// is some 3 % to 8 % as ρ grows; 15 % is allowed.
func TestEffectiveSampleSizeOfKnownChains(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	for _, rho := range []float64{0, 0.5, 0.9} {
		m, err := Mix(autoregressive(4, 2000, rho, rng))
		if err != nil {
			t.Fatal(err)
		}
		if want := 8000 * (1 - rho) / (1 + rho); math.Abs(m.ESS/want-1) > 0.15 || math.Abs(m.RHat-1) > 0.01 || m.N != 8000 {
			t.Errorf("ρ = %g: got %+v, want a size of %g", rho, m, want)
		}
	}
}

// By hand: the halves of 0 1 0 1 0 1 0 1 and of 4 5 4 5 4 5 4 5 have the means 0.5 0.5 4.5 4.5 and
// the variance 1/3 each; W = 1/3, B/n = 16/3, R̂ = √((W·3/4 + 16/3)/W) = √16.75.
func TestRHatByHand(t *testing.T) {
	m, err := Mix([][]float64{{0, 1, 0, 1, 0, 1, 0, 1}, {4, 5, 4, 5, 4, 5, 4, 5}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "R-hat", m.RHat, math.Sqrt(16.75))
}

func TestRHatOfChainsThatDisagree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	apart := autoregressive(4, 500, 0.5, rng)
	for i := range apart[3] {
		apart[3][i] += 3
	}
	drift := autoregressive(2, 500, 0.5, rng)
	for _, c := range drift {
		for i := range c {
			c[i] += 4 * float64(i) / 500
		}
	}
	constant := [][]float64{{1, 1, 1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2, 2, 2}}
	for name, chains := range map[string][][]float64{"one apart": apart, "all drifting": drift, "two points": constant} {
		if m, err := Mix(chains); err != nil || m.RHat < 1.1 || m.ESS > 100 {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
}

func TestMixRefuses(t *testing.T) {
	long := make([]float64, 8)
	for name, chains := range map[string][][]float64{
		"none": nil, "short": {{1, 2, 3}}, "uneven": {long, long[:7]}, "still": {long, long}, "NaN": {{1, 2, 3, 4, 5, 6, 7, math.NaN()}},
	} {
		if _, err := Mix(chains); !errors.Is(err, ErrInput) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Sums of 50 products of size 1 differ by 1e−15 from those by the transform.
func TestAutocovarianceIsTheDefinition(t *testing.T) {
	chains := autoregressive(3, 50, 0.7, rand.New(rand.NewPCG(3, 2)))
	means := []float64{mean(chains[0]), mean(chains[1]), mean(chains[2])}
	for lag, got := range autocovariance(chains, means) {
		want := 0.0
		for i, c := range chains {
			for t := lag; t < 50; t++ {
				want += (c[t] - means[i]) * (c[t-lag] - means[i]) / 50 / 3
			}
		}
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("lag %d: got %g, want %g", lag, got, want)
		}
	}
}
