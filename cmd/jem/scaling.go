package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jem/bench/scaling"
	"jem/config"
)

// simulatedSteps are taken for each row of the table.
const simulatedSteps = 20

func scalingCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "scaling",
		Usage: "foretell a training step's time on many ranks, from counted work and what you say of the machines",
		Description: examples("FLOPs and bytes are counted from the step itself; rates are assumptions, yours. The time is given\n"+
			"by a formula for equal ranks, and by a simulation of ranks of which some are slower at times.\n"+
			"Nothing is measured here: jem bench step measures one rank, or those that a launcher started.",
			"jem bench scaling --model wrn-28-10 --batch 64",
			"jem bench scaling --model wrn-28-10 --batch 64 --weak --ranks 1,8,64,1024",
			"jem bench scaling --model wrn-16-2 --sgld-steps 5 --ranks 1,2,4 --tflops 0.1 --gigabytes 2 --half 0"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "model", Value: "wrn-28-10", Usage: "network, wrn-DEPTH-WIDTH"},
			&cli.IntFlag{Name: "batch", Value: 64, Usage: "images a batch, of all ranks together"},
			&cli.BoolFlag{Name: "weak", Usage: "so many images on each rank instead"},
			&cli.IntFlag{Name: "sgld-steps", Value: 20, Usage: "SGLD steps K a training step"},
			&cli.StringFlag{Name: "ranks", Value: "1,2,4,8,16,32,64,128,256,512,1024", Usage: "numbers of ranks; those that the batch can't be divided among are left out"},
			&cli.Float64Flag{Name: "tflops", Value: 200, Usage: "10¹² FLOP/s that a rank with many images reaches over a whole step"},
			&cli.Float64Flag{Name: "half", Value: 8, Usage: "images of a rank with which it reaches half of that"},
			&cli.DurationFlag{Name: "fixed", Usage: "a step's time that doesn't depend on the images"},
			&cli.Float64Flag{Name: "gigabytes", Value: 25, Usage: "10⁹ bytes a second that a rank sends, and receives at once"},
			&cli.DurationFlag{Name: "latency", Value: 10 * time.Microsecond, Usage: "of a message"},
			&cli.Float64Flag{Name: "copy", Usage: "10⁹ bytes a second between device and host, where sums are made there; 0: they aren't"},
			&cli.Float64Flag{Name: "jitter", Value: 0.02, Usage: "spread of a rank's computing, as a share of it"},
			&cli.BoolFlag{Name: "ring", Usage: "sums go round in a ring instead of from each rank to each at once"},
			&cli.BoolFlag{Name: "overlap", Value: true, Usage: "sums begin while the backward pass goes on"},
			jsonFlag,
		},
		Action: benchScaling,
	})
}

func benchScaling(c *cli.Context) error {
	cfg, err := benchConfig(c)
	if err != nil {
		return err
	}
	m := scaling.Machine{
		Rate: 1e12 * c.Float64("tflops"), Half: c.Float64("half"), Fixed: c.Duration("fixed").Seconds(),
		Bandwidth: 1e9 * c.Float64("gigabytes"), Latency: c.Duration("latency").Seconds(), Copy: 1e9 * c.Float64("copy"),
		Jitter: c.Float64("jitter"), Ring: c.Bool("ring"), Overlap: c.Bool("overlap"), Bucket: scaling.Bucket,
	}
	for name, v := range map[string]float64{"tflops": m.Rate, "gigabytes": m.Bandwidth} {
		if !(v > 0) {
			return usagef(c, "--%s %v: want more than 0", name, c.Float64(name))
		}
	}
	for _, name := range []string{"half", "copy", "jitter"} {
		if !(c.Float64(name) >= 0) {
			return usagef(c, "--%s %v: want 0 or more", name, c.Float64(name))
		}
	}
	rows, err := foretold(c, cfg, m)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, struct {
			Machine scaling.Machine `json:"machine"`
			Model   string          `json:"model"`
			Rows    []scalingRow    `json:"rows"`
		}{m, c.String("model"), rows})
	}
	table := []string{"RANKS\tIMAGES EACH\tCOMPUTING, s\tEXCHANGE, s\tSTEP, s\tSIMULATED, s\tIMAGES/s\tEFFICIENCY"}
	for _, r := range rows {
		table = append(table, fmt.Sprintf("%d\t%d\t%.4f\t%.4f\t%.4f\t%.4f\t%.0f\t%.0f %%",
			r.Ranks, r.Images, r.Formula.Compute, r.Formula.Exchange, r.Formula.Step, r.Simulated.Step, r.Rate, 100*r.Efficiency))
	}
	return printTable(c, append(table, "", fmt.Sprintf("a rank's step: %.3g TFLOP for %d images; gradients %.1f MB", rows[0].FLOPs/1e12, rows[0].Images, float64(rows[0].Gradient)/1e6))...)
}

// scalingRow is what is foretold for a number of ranks.
type scalingRow struct {
	Ranks      int          `json:"ranks"`
	Images     int          `json:"images"` // on each
	FLOPs      float64      `json:"flops"`  // of a rank's step
	Gradient   int          `json:"gradient_bytes"`
	Formula    scaling.Time `json:"formula"`
	Simulated  scaling.Time `json:"simulated"`
	Rate       float64      `json:"images_per_second"` // of each part of the batch, on all ranks, simulated
	Efficiency float64      `json:"efficiency"`        // of a rank, beside the first row's
}

func foretold(c *cli.Context, cfg config.Config, m scaling.Machine) (rows []scalingRow, err error) {
	batch := cfg.Train.Batch
	for _, field := range strings.Split(c.String("ranks"), ",") {
		ranks, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || ranks < 1 || ranks > 1<<16 {
			return nil, usagef(c, "--ranks %s: want numbers from 1 to 65536, as in 1,2,4", c.String("ranks"))
		}
		if !c.Bool("weak") {
			if batch%ranks != 0 {
				continue
			}
			cfg.Train.Batch = batch / ranks
		}
		w, err := scaling.Count(cfg, 3, 32, 10)
		if err != nil {
			return nil, err
		}
		r := scalingRow{Ranks: ranks, Images: w.Images, FLOPs: w.FLOPs(), Gradient: w.Gradient(), Formula: scaling.Foretell(w, m, ranks), Simulated: scaling.Simulate(w, m, ranks, simulatedSteps, 1)}
		r.Rate = float64(ranks*w.Images) / r.Simulated.Step
		r.Efficiency = 1
		if len(rows) > 0 {
			r.Efficiency = r.Rate / float64(ranks) / (rows[0].Rate / float64(rows[0].Ranks))
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return nil, usagef(c, "--batch %d can't be divided among %s ranks: choose others, or --weak", batch, c.String("ranks"))
	}
	return rows, nil
}
