package main

import (
	"fmt"
	"io"

	"jem/config"
)

// report writes the tables of docs/performance.md.
func report(w io.Writer, model string, c config.Config, k work) {
	steps := float64(c.Sampler.Steps)
	fmt.Fprintf(w, "%s, batch %d, K = %d.\n\n", model, c.Train.Batch, c.Sampler.Steps)
	fmt.Fprint(w, "| counted | an SGLD step | everything else | an iteration |\n|---|---|---|---|\n")
	row := func(name, format string, of func(cost) float64, image float64) {
		a, b := costs(k.sgld, image), costs(k.rest, image)
		fmt.Fprintf(w, "| %s | "+format+" | "+format+" | "+format+" |\n", name, of(a), of(b), of(b.add(steps, a)))
	}
	row("convolutions, TFLOP", "%.2f", func(c cost) float64 { return c.flops / 1e12 }, 4)
	for _, p := range precisions[1:] {
		row("their operands, everything fused, GB, "+p.name, "%.2f", func(c cost) float64 { return c.convBytes / 1e9 }, p.image)
		row("passes that fusion saves, GB, "+p.name, "%.2f", func(c cost) float64 { return c.passBytes / 1e9 }, p.image)
		row("other kernels, GB, "+p.name, "%.3f", func(c cost) float64 { return c.ownBytes / 1e9 }, p.image)
	}
	row("launches of convolutions", "%.0f", func(c cost) float64 { return float64(c.convs) }, 4)
	row("launches of other kernels", "%.0f", func(c cost) float64 { return float64(c.own) }, 4)
	row("launches that fusion saves", "%.0f", func(c cost) float64 { return float64(c.passes) }, 4)
	for _, on := range cards {
		estimates(w, on, steps, k)
	}
}

// estimates writes a card's table: milliseconds an iteration.
func estimates(w io.Writer, on card, steps float64, k work) {
	fmt.Fprintf(w, "\n| %s: estimated ms an iteration |", on.name)
	for _, p := range precisions {
		fmt.Fprintf(w, " %s |", p.name)
	}
	fmt.Fprint(w, "\n|---|---|---|---|\n")
	row := func(name string, of func(precision string, image float64) float64) {
		fmt.Fprintf(w, "| %s |", name)
		for _, p := range precisions {
			fmt.Fprintf(w, " %.1f |", 1e3*of(p.name, p.image))
		}
		fmt.Fprintln(w)
	}
	all := func(image float64) cost { return costs(k.rest, image).add(steps, costs(k.sgld, image)) }
	least := func(p string, image float64) (seconds, memory float64) {
		a, am := bound(k.sgld, on, p, image)
		b, bm := bound(k.rest, on, p, image)
		return b + steps*a, bm + steps*am
	}
	own := func(image float64) float64 { return all(image).ownBytes / on.bytes / reached }
	row("convolutions at the roofline", func(p string, image float64) float64 { s, _ := least(p, image); return s })
	row("of it limited by memory", func(p string, image float64) float64 { _, m := least(p, image); return m })
	row(fmt.Sprintf("other kernels at %.0f %% of the memory's rate", 100*reached), func(_ string, image float64) float64 { return own(image) })
	row("passes that fusion saves, at the same rate", func(_ string, image float64) float64 { return all(image).passBytes / on.bytes / reached })
	row("host's launches, plans one by one", func(_ string, image float64) float64 {
		c := all(image)
		return float64(c.convs)*planLaunch + float64(c.own)*plainLaunch
	})
	row("gaps between kernels, chain replayed as a graph", func(_ string, image float64) float64 { c := all(image); return float64(c.convs+c.own) * graphLaunch })
	for _, share := range []float64{0.6, 0.45, 0.36} {
		row(fmt.Sprintf("**iteration, convolutions at %.0f %% of the roofline**, fused, one graph", 100*share), func(p string, image float64) float64 {
			s, _ := least(p, image)
			c := all(image)
			return s/share + own(image) + float64(c.convs+c.own)*graphLaunch
		})
	}
}
