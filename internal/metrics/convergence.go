package metrics

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Mixing says how well chains agree and how many independent draws they are worth.
type Mixing struct {
	RHat float64 `json:"r_hat"` // 1 where the chains agree; above 1.01 they have not mixed
	ESS  float64 `json:"ess"`   // effective sample size of all chains together
	N    int     `json:"n"`     // numbers that entered
}

// Mix measures chains of one scalar, all equally long, after halving each (so that a drift
// within a chain counts as disagreement): the potential scale reduction R̂ and the effective
// sample size with Geyer's initial monotone sequence (Gelman et al., Bayesian Data Analysis,
// 3rd edition, sections 11.4 and 11.5; Vehtari et al. 2021, without rank normalisation).
// Each chain has at least 8 numbers, and they are not all equal. The size is at most N·log₁₀N,
// which antithetic chains would exceed.
func Mix(chains [][]float64) (Mixing, error) {
	halves, err := halved(chains)
	if err != nil {
		return Mixing{}, err
	}
	m, n := len(halves), len(halves[0])
	means, within := make([]float64, m), 0.0
	for i, h := range halves {
		means[i] = mean(h)
		within += variance(h) / float64(m)
	}
	between := variance(means) // B/n of the book; one chain gives two halves
	total := within*float64(n-1)/float64(n) + between
	if !(total > 0) {
		return Mixing{}, inputf("chains that do not move have no R-hat")
	}
	r := Mixing{RHat: math.Inf(1), N: m * n}
	if within > 0 {
		r.RHat = math.Sqrt(total / within)
	}
	size := float64(r.N)
	r.ESS = min(size/correlationTime(halves, means, within, total), size*math.Log10(size))
	return r, nil
}

func halved(chains [][]float64) (halves [][]float64, err error) {
	for i, c := range chains {
		if len(c) < 8 || len(c) != len(chains[0]) {
			return nil, inputf("chain %d has %d numbers, chain 0 has %d: want one length, at least 8", i, len(c), len(chains[0]))
		}
		for j, v := range c {
			if !finite(v) {
				return nil, inputf("number %d of chain %d is %v", j, i, v)
			}
		}
		half := len(c) / 2
		halves = append(halves, c[:half], c[len(c)-half:])
	}
	if len(halves) == 0 {
		return nil, inputf("no chains")
	}
	return halves, nil
}

// correlationTime is 1 + 2·Σ ρ_t over the lags whose pair sums are positive and fall.
func correlationTime(halves [][]float64, means []float64, within, total float64) float64 {
	n := len(halves[0])
	cov := autocovariance(halves, means)
	rho := func(lag int) float64 { // 1 − V_t/(2·V), by the autocovariances
		return 1 - (within-cov[lag]*float64(n)/float64(n-1))/total
	}
	tau, before := -1.0, math.Inf(1)
	for lag := 0; lag+1 < n; lag += 2 {
		pair := rho(lag) + rho(lag+1)
		if lag == 0 {
			pair = 1 + rho(1)
		}
		if pair <= 0 {
			break
		}
		before = min(before, pair)
		tau += 2 * before
	}
	return max(tau, math.SmallestNonzeroFloat64)
}

// autocovariance is Σ_t (x_t − m)(x_{t−lag} − m)/n for each lag, averaged over chains with
// means m, by the Fourier transform: chains that don't mix are correlated over most lags, and
// their sums one by one would take the square of a long chain's length.
func autocovariance(chains [][]float64, means []float64) []float64 {
	n := len(chains[0])
	fft := fourier.NewFFT(2 * n) // zeros behind the chain keep its ends apart
	padded, all := make([]float64, 2*n), make([]float64, n)
	for i, c := range chains {
		clear(padded)
		for t, v := range c {
			padded[t] = v - means[i]
		}
		power := fft.Coefficients(nil, padded)
		for j, v := range power {
			power[j] = v * cmplx.Conj(v)
		}
		for lag, v := range fft.Sequence(padded, power)[:n] {
			all[lag] += v / float64(2*n) / float64(n) / float64(len(chains))
		}
	}
	return all
}

// variance has the divisor N−1.
func variance(values []float64) float64 {
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(values)-1)
}
