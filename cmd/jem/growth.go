package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/bench/kernels"
	"jem/bench/timing"
	"jem/config"
	"jem/internal/chart"
	"jem/internal/claim"
	"jem/internal/durable"
)

func growthCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "growth",
		Usage: "time training steps at growing batch, SGLD steps and threads; draw charts",
		Description: examples("Each time is the fastest of --steps. Lines are fitted by relative least squares: what grows\n"+
			"linearly deviates from its line by the machine's noise only.",
			"jem bench growth --out growth"),
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "model", Value: "wrn-10-1", Usage: "network, wrn-DEPTH-WIDTH"},
			&cli.IntFlag{Name: "batch", Value: 64, Usage: "images a batch where SGLD steps or threads grow"},
			&cli.IntFlag{Name: "sgld-steps", Value: 20, Usage: "SGLD steps K where batch or threads grow"},
			&cli.IntSliceFlag{Name: "batches", Value: cli.NewIntSlice(8, 16, 32, 64, 128), Usage: "batches to measure; repeat the flag for each"},
			&cli.IntSliceFlag{Name: "chains", Value: cli.NewIntSlice(1, 5, 10, 20, 40), Usage: "SGLD steps to measure; repeat the flag for each"},
			&cli.IntFlag{Name: "steps", Value: 5, Usage: "training steps to measure for each, after one to warm up"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write growth.json, growth.md and charts (SVG) into this `FOLDER`: new, empty, or with those alone"},
			jsonFlag,
		}, deviceFlags()...),
		Action: benchGrowth,
	})
}

// growthResult is the whole measurement.
type growthResult struct {
	Device    backend.Info    `json:"device"`
	Model     string          `json:"model"`
	Batch     int             `json:"batch"`
	SGLDSteps int             `json:"sgld_steps"`
	Steps     int             `json:"steps"` // of which each time is the least
	ByBatch   kernels.Growth  `json:"by_batch"`
	BySGLD    kernels.Growth  `json:"by_sgld_steps"`
	ByThreads []kernels.Point `json:"by_threads"`
}

func benchGrowth(c *cli.Context) error {
	batches, chains := c.IntSlice("batches"), c.IntSlice("chains")
	for name, sizes := range map[string][]int{"batches": batches, "chains": chains} {
		if slices.Sort(sizes); len(slices.Compact(slices.Clone(sizes))) < max(2, len(sizes)) || sizes[0] < 1 {
			return usagef(c, "--%s %v: want two or more different numbers from 1", name, sizes)
		}
	}
	folder := c.String("out")
	if folder != "" {
		if err := claim.Check(folder, grown); err != nil { // before the minutes of measuring
			return err
		}
	}
	cfg, err := benchConfig(c)
	if err != nil {
		return err
	}
	cfg.Sampler.Steps = c.Int("sgld-steps")
	r := growthResult{Model: c.String("model"), Batch: cfg.Train.Batch, SGLDSteps: cfg.Sampler.Steps, Steps: c.Int("steps")}
	if err := r.measure(c, cfg, batches, chains); err != nil {
		return err
	}
	if folder != "" {
		if err := r.write(folder); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c, r)
	}
	_, err = fmt.Fprint(c.App.Writer, r.markdown())
	return err
}

// measure takes all times.
func (r *growthResult) measure(c *cli.Context, cfg config.Config, batches, chains []int) error {
	dev, err := openDevice(cfg.Device)
	if err != nil {
		return err
	}
	defer dev.Close()
	r.Device = dev.Info()
	points := func(sizes []int, at func(*config.Config, int)) (all []kernels.Point, err error) {
		for _, n := range sizes {
			cfg := cfg
			at(&cfg, n)
			t, err := r.time(c, dev, cfg)
			if err != nil {
				return nil, err
			}
			all = append(all, kernels.Point{Size: float64(n), Seconds: t})
		}
		return all, nil
	}
	byBatch, err := points(batches, func(c *config.Config, n int) { c.Train.Batch = n })
	if err != nil {
		return err
	}
	bySGLD, err := points(chains, func(c *config.Config, n int) { c.Sampler.Steps = n })
	if err != nil {
		return err
	}
	r.ByBatch, r.BySGLD = kernels.Fit(byBatch), kernels.Fit(bySGLD)
	return r.threads(c, cfg)
}

// threads measures with 1, 2, 4 … threads, up to all cores, each on a device of its own.
func (r *growthResult) threads(c *cli.Context, cfg config.Config) error {
	most := runtime.GOMAXPROCS(0)
	for n := 1; cfg.Device.Name == "cpu" && n <= most; n *= 2 {
		cfg.Device.Threads = n
		dev, err := openDevice(cfg.Device)
		if err != nil {
			return err
		}
		t, err := r.time(c, dev, cfg)
		_ = dev.Close()
		if err != nil {
			return err
		}
		r.ByThreads = append(r.ByThreads, kernels.Point{Size: float64(n), Seconds: t})
	}
	return nil
}

// time is the fastest of some steps.
func (r *growthResult) time(c *cli.Context, dev backend.Device, cfg config.Config) (float64, error) {
	if err := config.Validate(cfg); err != nil {
		return 0, err
	}
	b, err := timing.Measure(c.Context, dev, cfg, 3, 32, 10, r.Steps)
	return b.StepMin, err
}

// markdown is the measurement as tables.
func (r *growthResult) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, %d threads), %s; each time is the least of %d steps.\n", r.Device.Model, r.Device.ISA, r.Device.Threads, strings.ToUpper(r.Model), r.Steps)
	grow := func(title, unit string, g kernels.Growth) {
		fmt.Fprintf(&b, "\n%s:\n\n| %s | seconds a step | line | seconds / %s |\n|---|---|---|---|\n", title, unit, unit)
		for _, p := range g.Points {
			fmt.Fprintf(&b, "| %g | %.4f | %.4f | %.5f |\n", p.Size, p.Seconds, g.Fixed+g.Slope*p.Size, p.Seconds/p.Size)
		}
		fmt.Fprintf(&b, "\nLine: %.4f s + %.5f s · %s; largest deviation %.1f %%; slopes between neighbours %.2f to %.2f of the line's.\n",
			g.Fixed, g.Slope, unit, 100*g.Deviation, g.SlopeLow, g.SlopeHigh)
	}
	grow(fmt.Sprintf("Batch, at %d SGLD steps", r.SGLDSteps), "batch", r.ByBatch)
	grow(fmt.Sprintf("SGLD steps, at batch %d", r.Batch), "K", r.BySGLD)
	if len(r.ByThreads) > 0 {
		fmt.Fprintf(&b, "\nThreads, at batch %d and %d SGLD steps:\n\n| threads | seconds a step | times as fast as one |\n|---|---|---|\n", r.Batch, r.SGLDSteps)
	}
	for _, p := range r.ByThreads {
		fmt.Fprintf(&b, "| %g | %.4f | %.2f |\n", p.Size, p.Seconds, r.ByThreads[0].Seconds/p.Seconds)
	}
	return b.String()
}

// grown is a folder of such a measurement: it has no marker, for it is committed beside the docs.
var grown = claim.Kind{Of: "bench growth", Own: func(_, name string, _ bool) bool {
	return slices.Contains([]string{"growth.json", "growth.md", "growth-batch.svg", "growth-sgld.svg"}, name)
}}

// write leaves the measurement in a folder: numbers, tables, charts.
func (r *growthResult) write(folder string) error {
	numbers, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := claim.Take(folder, grown); err != nil {
		return err
	}
	batch, err1 := growthChart(fmt.Sprintf("Training step, K = %d", r.SGLDSteps), "batch, images", r.ByBatch).SVG()
	sgld, err2 := growthChart(fmt.Sprintf("Training step, batch %d", r.Batch), "SGLD steps K", r.BySGLD).SVG()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"growth.json":      append(numbers, '\n'),
		"growth.md":        []byte(r.markdown()),
		"growth-batch.svg": batch,
		"growth-sgld.svg":  sgld,
	} {
		if err := durable.WriteFile(filepath.Join(folder, name), content); err != nil {
			return err
		}
	}
	return nil
}

// growthChart shows the points beside their line, from the origin on.
func growthChart(title, unit string, g kernels.Growth) chart.Chart {
	last := g.Points[len(g.Points)-1].Size
	measured := chart.Line{Name: "measured"}
	line := chart.Line{Name: "line", Guide: true, X: []float64{0, last}, Y: []float64{g.Fixed, g.Fixed + g.Slope*last}}
	for _, p := range g.Points {
		measured.Add(p.Size, p.Seconds)
	}
	return chart.Chart{Title: title, XLabel: unit, YLabel: "seconds a step", Lines: []chart.Line{measured, line}}
}
