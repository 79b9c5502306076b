package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/internal/picture"
	"jem/train"
)

// attackFlags are those of jem eval --task attack.
func attackFlags() []cli.Flag {
	const category = "Attack"
	return []cli.Flag{
		&cli.StringFlag{Name: "norm", Value: "linf", Usage: "norm of the change: linf or l2", Category: category},
		&cli.StringFlag{Name: "epsilon", Value: "1,2,4,8,16", Usage: "radii in units of 1/255, between commas, ascending", Category: category},
		&cli.IntFlag{Name: "pgd-steps", Value: 40, Usage: "gradient steps of a start [n_steps_pgd_attack]", Category: category},
		&cli.IntFlag{Name: "restarts", Value: 20, Usage: "random starts an image", Category: category},
		&cli.IntFlag{Name: "refine", Usage: "SGLD steps k of the predictor JEM-k, also for --task accuracy [n_steps_refine]", Category: category},
		&cli.IntFlag{Name: "chains", Value: 5, Usage: "noisy copies whose logits are averaged [n_dup_chains]", Category: category},
		&cli.Float64Flag{Name: "attack-noise", Value: 0.03, Usage: "standard deviation of the copies' noise [sigma]", Category: category},
		&cli.StringFlag{Name: "class", Value: "1", Usage: "class of --task distal, by name or number", Category: category},
		&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of starts and noise", Category: category},
	}
}

// attackImages is how many images are attacked where --limit doesn't say, as published.
const attackImages = 300

// attack is jem eval --task attack.
func (p *program) attack(c *cli.Context, s *screen, m *train.Predictor) error {
	o, err := attackOptions(c)
	if err != nil {
		return err
	}
	r, err := m.Attack(c.String("split"), o, func(at train.AttackPoint) {
		s.log.Info("attacked", zap.Float64("epsilon_255", at.Epsilon), zap.Float64("accuracy", at.Accuracy))
	})
	if err != nil {
		return err
	}
	if err := p.picture(c, fmt.Sprintf("attack-%s-k%d.svg", o.Norm, o.Refine), attackChart(r)); err != nil {
		return err
	}
	if c.Bool("json") {
		return p.json(r)
	}
	rows := []string{
		fmt.Sprintf("JEM-%d, %s, %d images, %d PGD steps, %d restarts, %d chains, noise %g", o.Refine, o.Norm, r.Images, o.Steps, o.Restarts, o.Chains, o.Noise),
		"EPSILON/255\tACCURACY\tBROKEN\tCONFIRMED",
	}
	for _, at := range r.Points {
		rows = append(rows, fmt.Sprintf("%g\t%.2f %%\t%d\t%d", at.Epsilon, 100*at.Accuracy, at.Broken, at.Confirmed))
	}
	return p.table(rows...)
}

func attackOptions(c *cli.Context) (train.AttackOptions, error) {
	o := train.AttackOptions{
		Norm: c.String("norm"), Steps: c.Int("pgd-steps"), Restarts: c.Int("restarts"), Refine: c.Int("refine"),
		Chains: c.Int("chains"), Noise: float32(c.Float64("attack-noise")), Images: attackImages, Seed: c.Uint64("seed"),
	}
	if n := c.Int("limit"); n > 0 {
		o.Images = n
	}
	for _, text := range strings.Split(c.String("epsilon"), ",") {
		e, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(e > 0) || e > 1e6 {
			return o, usagef(c, "--epsilon %q: want numbers above 0 between commas", c.String("epsilon"))
		}
		o.Epsilons = append(o.Epsilons, e)
	}
	switch {
	case o.Norm != "linf" && o.Norm != "l2":
		return o, usagef(c, "--norm %q: want linf or l2", o.Norm)
	case !slices.IsSorted(o.Epsilons):
		return o, usagef(c, "--epsilon %s: want them ascending", c.String("epsilon"))
	case o.Steps < 0 || o.Restarts < 1 || o.Refine < 0:
		return o, usagef(c, "--pgd-steps, --restarts or --refine: want at least 0, 1 and 0")
	case o.Chains < 1 || o.Chains > train.EvalBatch:
		return o, usagef(c, "--chains %d: want 1 to %d", o.Chains, train.EvalBatch)
	case !(o.Noise >= 0):
		return o, usagef(c, "--attack-noise %g: want at least 0", o.Noise)
	}
	return o, nil
}

func attackChart(r train.AttackResult) picture.Chart {
	var points []picture.Point
	for _, at := range r.Points {
		points = append(points, picture.Point{X: at.Epsilon, Y: at.Accuracy})
	}
	name := fmt.Sprintf("JEM-%d", r.Refine)
	return picture.Chart{
		Title:  fmt.Sprintf("%s under %s PGD, %d images", name, r.Norm, r.Images),
		XLabel: "ε in 1/255", YLabel: "accuracy",
		Series: []picture.Series{{Name: name, Points: points}},
	}
}
