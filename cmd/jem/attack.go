package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/eval/robust"
	"jem/feed"
	"jem/internal/claim"
	"jem/predict"
)

// attackImages is how many images are attacked where --limit doesn't say, as published.
const attackImages = 300

func attackCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "attack",
		Usage: "measure how small a change makes a trained model answer wrongly",
		Description: examples("Attacks the predictor JEM-k: noisy copies of an image move k SGLD steps up log p(x), then their\n"+
			"logits are averaged. As published: the default, with --refine 0,1,10; the gradient then passes\n"+
			"straight through refinement. Without that mask: --refine 0 --draws 20 --attack apgd-ce,apgd-dlr,square.\n"+
			"With --out the adversarial images, a picture of them and the curve are written, and an attack that\n"+
			"was interrupted goes on where it was. The folder is new, empty or an earlier attack's, whose files\n"+
			"of the same names are replaced.",
			"jem attack runs/first --out attacked",
			"jem attack runs/first --attack pgd,apgd-ce,square --epsilon 1,2,4,8 --limit 100",
			"jem attack runs/first --norm l2 --epsilon 32,64,128"),
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "attack", Value: "pgd", Usage: "some of " + strings.Join(robust.Kinds, ", ") + ", between commas"},
			&cli.StringFlag{Name: "norm", Value: "linf", Usage: "norm of the change: linf or l2"},
			&cli.StringFlag{Name: "epsilon", Value: "1,2,4,8,16", Usage: "radii in units of 1/255, between commas, ascending"},
			&cli.StringFlag{Name: "refine", Value: "0", Usage: "SGLD steps k of the predictor JEM-k, several between commas [n_steps_refine]"},
			&cli.IntFlag{Name: "chains", Value: 5, Usage: "noisy copies whose logits are averaged [n_dup_chains]"},
			&cli.Float64Flag{Name: "attack-noise", Value: 0.03, Usage: "standard deviation of the copies' noise [sigma]"},
			&cli.IntFlag{Name: "pgd-steps", Value: 40, Usage: "gradient steps of a start, pgd and apgd [n_steps_pgd_attack]"},
			&cli.IntFlag{Name: "restarts", Value: 20, Usage: "random starts an image, pgd and apgd"},
			&cli.IntFlag{Name: "queries", Value: 1000, Usage: "answers an image, square; steps of boundary"},
			&cli.IntFlag{Name: "draws", Value: 1, Usage: "answers with fresh noise over which losses and gradients are averaged"},
			&cli.StringFlag{Name: "from", Usage: "make the images against this run `FOLDER`, a transfer attack"},
			&cli.IntFlag{Name: "attack-batch", Value: 50, Usage: "images attacked together, and lost when interrupted"},
			splitFlag,
			&cli.IntFlag{Name: "limit", Value: attackImages, Usage: "so many images, of published sets the first, of own pictures of all classes alike"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of starts and noise"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FOLDER` of results; an attack that was interrupted goes on from it"},
			jsonFlag,
		}, runFlags()...),
		Action: runAttack,
	}, "[MODEL]")
}

func runAttack(c *cli.Context) error {
	all, err := attackOptions(c)
	if err != nil {
		return err
	}
	out := c.String("out")
	if out != "" {
		if err := claim.Check(out, attacked); err != nil { // before the run is opened
			return err
		}
	}
	return withRuns(c, func(s *screen, dev backend.Device, m *predict.Predictor) error {
		if err := takeAttacked(out, m); err != nil {
			return err
		}
		var from *predict.Predictor
		if c.String("from") != "" {
			if from, err = openRun(c, s, dev, c.String("from"), ""); err != nil {
				return err
			}
		}
		var results []robust.Result
		for i, o := range all {
			o.From, o.Folder, o.Point = from, out, s.points(o)
			r, err := robust.Measure(c.Context, m, o, s.follow())
			if i == 0 { // the next attack reads the same images
				s.notes(r.Notes)
			}
			if err != nil {
				return err
			}
			results = append(results, r)
		}
		report := robust.NewReport(results...)
		written := writeAttacks(out, report)
		if c.Bool("json") {
			return errors.Join(written, printJSON(c, report))
		}
		return errors.Join(written, printTable(c, attackRows(report)...))
	})
}

// points logs each ε done of an attack.
func (s *screen) points(o robust.Options) func(robust.Point) {
	return func(at robust.Point) {
		s.log.Info("attacked", zap.String("attack", o.Kind), zap.Int("refine", o.Refine), zap.Float64("epsilon_255", at.Epsilon), zap.Float64("accuracy", at.Accuracy))
	}
}

// attackOptions are the flags, one option for each attack and k.
func attackOptions(c *cli.Context) (all []robust.Options, err error) {
	o := robust.Options{
		Norm: c.String("norm"), Steps: c.Int("pgd-steps"), Restarts: c.Int("restarts"), Queries: c.Int("queries"), Draws: c.Int("draws"),
		Chains: c.Int("chains"), Noise: float32(c.Float64("attack-noise")), Images: c.Int("limit"), Batch: c.Int("attack-batch"), Seed: c.Uint64("seed"), Split: c.String("split"),
	}
	const least, most = 1e-6, 1e6
	if o.Epsilons, err = numbers(c, "epsilon", least, most); err != nil {
		return nil, err
	}
	refine, err := counts(c, "refine", 0, maxRefine)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Norm != "linf" && o.Norm != "l2":
		return nil, usagef(c, "--norm %q: want linf or l2", o.Norm)
	case len(o.Epsilons) == 0 || !slices.IsSorted(o.Epsilons):
		return nil, usagef(c, "--epsilon %s: want them ascending", c.String("epsilon"))
	case o.Steps < 1 || o.Restarts < 1 || o.Queries < 1 || o.Draws < 1 || o.Images < 1 || o.Batch < 1:
		return nil, usagef(c, "--pgd-steps, --restarts, --queries, --draws, --limit or --attack-batch: want at least 1")
	case o.Chains < 1 || o.Chains > feed.EvalBatch:
		return nil, usagef(c, "--chains %d: want 1 to %d", o.Chains, feed.EvalBatch)
	case !(o.Noise >= 0):
		return nil, usagef(c, "--attack-noise %g: want at least 0", o.Noise)
	case checkSplit(c) != nil:
		return nil, checkSplit(c)
	}
	for _, kind := range strings.Split(c.String("attack"), ",") {
		switch {
		case !slices.Contains(robust.Kinds, kind):
			return nil, usagef(c, "--attack %q: want some of %s", c.String("attack"), strings.Join(robust.Kinds, ", "))
		case kind == "square" && o.Norm != "linf":
			return nil, usagef(c, "--attack square: only --norm linf")
		case c.String("from") != "" && (kind == "boundary" || kind == "pointwise"):
			return nil, usagef(c, "--attack %s: its changes suit the network they were made for, not --from another", kind)
		}
		for _, k := range refine {
			o.Kind, o.Refine = kind, k
			all = append(all, o)
		}
	}
	return all, nil
}

func attackRows(report robust.Report) []string {
	first := report.Attacks[0]
	rows := []string{fmt.Sprintf("%s %d images, %s, %d chains, noise %g; %d steps, %d restarts, %d queries, %d draws", first.Data, first.Images, first.Norm, first.Chains, first.Options.Noise, first.Steps, first.Restarts, first.Queries, first.Draws)}
	if first.Source != nil {
		rows = append(rows, "images made against "+escape(filepath.Clean(first.Source.Checkpoint)))
	}
	rows = append(rows, "PREDICTOR\tATTACK\tEPSILON/255\tACCURACY\tBROKEN\tCONFIRMED")
	add := func(k int, kind string, points []robust.Point) {
		for _, at := range points {
			rows = append(rows, fmt.Sprintf("JEM-%d\t%s\t%g\t%.2f %%\t%d\t%d", k, kind, at.Epsilon, 100*at.Accuracy, at.Broken, at.Confirmed))
		}
	}
	for _, r := range report.Attacks {
		add(r.Refine, r.Kind, r.Points)
	}
	for _, w := range report.Worst {
		add(w.Refine, "all together", w.Points)
	}
	return rows
}
