package page

import (
	"math"
	"slices"
	"testing"
	"time"

	"jem/backend/philox"
	"jem/internal/metrics"
	"jem/toy"
)

// fake is a result made up from formulas: two rings, the outer one of other width, and a classifier that
// gets surer the farther out it is asked.
func fake(t testing.TB) *toy.Result {
	t.Helper()
	r := &toy.Result{
		Name: "rings", Classes: []string{"inner", "outer"}, Window: toy.Window{X0: -3, X1: 3, Y0: -3, Y1: 3},
		Run: toy.Run{Recipe: "jem", Seed: 1, Steps: 600, Device: "cpu", Version: "test", Training: 6 * time.Second, Total: 7 * time.Second,
			Settings: []byte("seed: 1\nmodel: {network: mlp, depth: 3, width: 128}\nsampler: {steps: 20, step_size: 0.001}\n")},
	}
	r.Train, r.HeldOut = ringPoints(1, 400), ringPoints(2, 200)
	const n = 80
	r.Density = gridOf(r.Window, n, func(x, y float64) float64 { return math.Log(ring(x, y, 0) + ring(x, y, 1)) })
	r.Truth = &toy.Truth{Density: gridOf(r.Window, n, func(x, y float64) float64 { return math.Log(ring(x, y, 0) + ring(x, y, 1) + 1e-9) }), KL: 0.0314, LogZ: 1.5}
	jem := func(x, y float64) float64 { return ring(x, y, 1) / (ring(x, y, 0) + ring(x, y, 1)) }
	twin := func(x, y float64) float64 { return 1 / (1 + math.Exp(-6*(math.Hypot(x, y)-1.5))) }
	r.JEM, r.Twin = verdicts(r.Window, n, jem, 0.9912), verdicts(r.Window, n, twin, 0.9887)
	for i := range 12 {
		t := float64(i) / 11
		r.Snapshots = append(r.Snapshots, toy.Snapshot{Step: 600 * i / 11, Density: gridOf(r.Window, n, func(x, y float64) float64 {
			return t*math.Log(ring(x, y, 0)+ring(x, y, 1)) - (1-t)*(x*x+y*y)/8
		})})
	}
	r.Chains = chains(40, 30)
	for i := range 60 {
		t := float64(i) / 60
		gap := 2 * math.Exp(-5*t) * math.Cos(20*t)
		r.Curve = append(r.Curve, toy.Record{Step: 10 * i, Loss: math.Exp(-3*t) + 0.1, LogPData: 2 * t, LogPSamples: 2*t - gap, Gap: gap, Accuracy: 1 - 0.5*math.Exp(-8*t)})
	}
	r.Reliability = toy.Reliability{JEM: bins(0.02), Twin: bins(0.12)}
	for i := range r.HeldOut.X {
		r.HeldOutLogP = append(r.HeldOutLogP, math.Log(ring(r.HeldOut.X[i], r.HeldOut.Y[i], 0)+ring(r.HeldOut.X[i], r.HeldOut.Y[i], 1)))
	}
	slices.Sort(r.HeldOutLogP)
	r.Far = []toy.FarPoint{
		{X: 6, Y: 6, JEMClass: 1, TwinClass: 1, JEMConfidence: 0.61234, TwinConfidence: 0.999999, LogP: -412.5, Percentile: 0},
		{X: -9, Y: 0, JEMClass: 0, TwinClass: 1, JEMConfidence: 0.5, TwinConfidence: 1, LogP: -99.25, Percentile: 0},
		{X: 0, Y: 2.5, JEMClass: 1, TwinClass: 1, JEMConfidence: 0.9, TwinConfidence: 0.95, LogP: -5.5, Percentile: 1.5},
	}
	return r
}

// ring is the density of a class: a ring of radius 1 or 2.
func ring(x, y float64, class int) float64 {
	radius, sigma := 1+float64(class), 0.12+0.06*float64(class)
	r := math.Hypot(x, y)
	return 0.5 * math.Exp(-(r-radius)*(r-radius)/(2*sigma*sigma)) / (sigma * math.Sqrt(2*math.Pi) * 2 * math.Pi * radius)
}

func ringPoints(seed uint64, n int) (p toy.Points) {
	noise := philox.New(seed, 0, philox.Test)
	for i := range n {
		angle, class := 2*math.Pi*float64(i)/float64(n)*7, i%2
		r := 1 + float64(class) + (0.12+0.06*float64(class))*float64(noise.Normal(uint64(i)))
		p.X, p.Y, p.Class = append(p.X, r*math.Cos(angle)), append(p.Y, r*math.Sin(angle)), append(p.Class, class)
	}
	return p
}

func gridOf(box toy.Window, n int, f func(x, y float64) float64) toy.Grid {
	g := toy.Grid{W: n, H: n}
	for j := range n {
		for i := range n {
			x := box.X0 + (float64(i)+0.5)*(box.X1-box.X0)/float64(n)
			y := box.Y0 + (float64(j)+0.5)*(box.Y1-box.Y0)/float64(n)
			g.Values = append(g.Values, f(x, y))
		}
	}
	return g
}

// verdicts are of two classes, from the probability of the second.
func verdicts(box toy.Window, n int, second func(x, y float64) float64, accuracy float64) toy.Verdicts {
	first := func(x, y float64) float64 { return 1 - second(x, y) }
	return toy.Verdicts{P: []toy.Grid{gridOf(box, n, first), gridOf(box, n, second)}, Accuracy: accuracy}
}

func chains(frames, n int) (c toy.Chains) {
	noise := philox.New(3, 0, philox.Test)
	at := make([][2]float64, n)
	for k := range at {
		c.Class = append(c.Class, k%2)
		at[k] = [2]float64{3 * float64(noise.Normal(uint64(2*k))) / 2, 3 * float64(noise.Normal(uint64(2*k+1))) / 2}
	}
	for f := range frames {
		c.Steps = append(c.Steps, f)
		c.At = append(c.At, slices.Clone(at))
		for k := range at {
			r := math.Hypot(at[k][0], at[k][1])
			to := 1 + 0.15*(1+float64(c.Class[k]))/r*(1+float64(c.Class[k])-r)
			for a := range 2 {
				at[k][a] = at[k][a]*to + 0.05*float64(noise.Normal(uint64(1000+2*(f*n+k)+a)))
			}
		}
	}
	return c
}

func bins(off float64) (all metrics.Reliability) {
	for i := range metrics.Bins {
		b := metrics.Bin{Lo: float64(i) / metrics.Bins, Hi: float64(i+1) / metrics.Bins}
		if i >= metrics.Bins/2 {
			b.Count = 1 + (i-9)*(i-9)/2
			b.Confidence = (b.Lo + b.Hi) / 2
			b.Accuracy = b.Confidence - off
		}
		all = append(all, b)
	}
	return all
}
