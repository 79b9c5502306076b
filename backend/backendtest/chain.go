package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
)

func chainChecks() []Check {
	return []Check{{"chain", "gaussian_target", gaussianTarget}}
}

// gaussianTarget samples N(μ,1) by SGLD with the device's own verbs. With a gradient of
// μ−x the chain is x ← x + α(μ−x) + σε, an autoregression whose law is known at every
// step k: with ρ = 1−α the mean is μ + ρᵏ(x₀−μ), the variance σ²(1−ρ²ᵏ)/(1−ρ²). It is
// compared after 20 steps (on the way) and 2,000 (stationary): the mean of n independent
// chains within five of its standard errors s/√n, the variance within five of s²·√(2/n).
func gaussianTarget(p *Probe) {
	const n, mu, start, rho = 4096, 0.5, -1.0, 0.9
	s := backend.SGLD{StepSize: 1 - rho, Noise: 0.05}
	x, g := p.alloc(backend.Image, n/64, 16, 2, 2), p.alloc(backend.Image, n/64, 16, 2, 2)
	p.dev.Fill(x, start)
	key := p.key()
	for step := 1; step <= 2000; step++ {
		p.dev.Fill(g, mu)
		p.dev.Axpy(g, -1, x)
		p.dev.SGLDStep(x, g, key.At(step, 0), s)
		if step != 20 && step != 2000 {
			continue
		}
		mean, variance := moments(p.get(x))
		shrink := math.Pow(rho, float64(step))
		want := float64(s.Noise) * float64(s.Noise) * (1 - shrink*shrink) / (1 - rho*rho)
		p.equal(fmt.Sprintf("mean after %d steps", step), mean, mu+shrink*(start-mu), 5*math.Sqrt(want/n))
		p.equal(fmt.Sprintf("variance after %d steps", step), variance, want, 5*want*math.Sqrt(2.0/n))
	}
}

func moments(v []float32) (mean, variance float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += float64(x) / n
	}
	for _, x := range v {
		variance += (float64(x) - mean) * (float64(x) - mean) / n
	}
	return mean, variance
}
