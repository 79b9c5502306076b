package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/config"
	"jem/eval"
	"jem/eval/ood"
	"jem/eval/quality"
	"jem/feed"
	"jem/internal/metrics"
	"jem/predict"
)

func evalCommand() *cli.Command {
	const forOOD, forChains, forDistal = "Task ood", "Task chains", "Task distal"
	return leaf(&cli.Command{
		Name:  "eval",
		Usage: "measure a trained model",
		Description: examples("accuracy     of JEM-k for each --refine and each --noise, by class, with what was taken for what and, in\n"+
			"             --pictures, the worst mistakes; nll: the proper scores alone\n"+
			"calibration  ECE, MCE, adaptive ECE, a temperature fitted on the held-out images, reliability diagram\n"+
			"ood          how well scores tell other images: the paper's table, near and far sets, histograms\n"+
			"samples      FID, Inception Score, KID, precision and recall of samples\n"+
			"distal       images of a class made from noise\n"+
			"chains       long SGLD chains: log p(x), step norms, R-hat, effective sample size\n"+
			"Attacks are a command of their own, jem attack.",
			"jem eval runs/first",
			"jem eval runs/first --task calibration --pictures figures",
			"jem eval runs/first --task ood --ood svhn,interp,folder:others --scores all",
			"jem eval runs/first --task samples --json --out samples.json"),
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "task", Value: "accuracy", Usage: "what to measure: " + strings.Join(evalTasks, ", ")},
			splitFlag,
			&cli.IntFlag{Name: "limit", Usage: "only so many images of each set, of published ones the first, of own pictures of all classes alike; or images of distal; 0: all"},
			&cli.StringFlag{Name: "noise", Usage: "standard deviation of the pixel noise, for --task accuracy several between commas; default: the run's, 0.03 as published [sigma]"},
			&cli.StringFlag{Name: "refine", Value: "0", Usage: "SGLD steps k before the answer, for --task accuracy, several between commas [n_steps_refine]"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of starts, of chains and of SGLD noise"},
			&cli.StringFlag{Name: "pictures", Usage: "write diagrams and pictures as PNG into this `FOLDER`, beside what is there; those of the same names are replaced"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "write the result as JSON into this `FILE`, too"},
			jsonFlag,
			&cli.StringFlag{Name: "ood", Usage: "sets, between commas: svhn, cifar100, mnist, …; textures, tiny-imagenet, celeba, places365, faces; interp (means of two images of --split), uniform, gaussian, folder:PATH", Category: forOOD},
			&cli.StringFlag{Name: "scores", Value: strings.Join(ood.Published, ","), Usage: "all, or some of " + strings.Join(ood.All, ", "), Category: forOOD},
			&cli.Float64Flag{Name: "temperature", Usage: "of score msp; 0: fitted on the held-out images", Category: forOOD},
			&cli.Float64Flag{Name: "odin-temperature", Value: predict.PublishedODIN.Temperature, Usage: "of score odin", Category: forOOD},
			&cli.Float64Flag{Name: "odin-epsilon", Value: predict.PublishedODIN.Epsilon, Usage: "step of score odin, pixels in [-1,1]", Category: forOOD},
			&cli.IntFlag{Name: "neighbour", Value: 50, Usage: "k of score knn", Category: forOOD},
			&cli.IntFlag{Name: "fit-images", Usage: "training images that mahalanobis, relative and knn compare with; 0: all", Category: forOOD},
			&cli.StringFlag{Name: "on-edge", Value: string(metrics.Below), Usage: "bin of a confidence where two bins of equal width meet: below, as the paper's followers, or above, as torchmetrics and netcal", Category: "Task calibration"},
			&cli.IntFlag{Name: "every", Value: 10, Usage: "SGLD steps from one record to the next", Category: forChains},
			&cli.StringFlag{Name: "class", Value: "1", Usage: "class to make, by name or number", Category: forDistal},
		}, slices.Concat(qualityFlags(), in("Tasks samples and chains", chainFlags(
			"chains: 20; samples: the replay buffer's, or "+strconv.Itoa(quality.DATCount)+" of protocol dat",
			"chains: 1000; samples: none from the buffer, "+strconv.Itoa(config.FreshSteps)+" of fresh ones",
			"as the protocol has it")...), runFlags())...),
		Action: runEval,
	}, "[MODEL]")
}

// evalTasks in the order of the help.
var evalTasks = []string{"accuracy", "nll", "calibration", "ood", "samples", "distal", "chains"}

func runEval(c *cli.Context) error {
	task := map[string]func(*cli.Context, *screen, *predict.Predictor) error{
		"accuracy": evalAccuracy, "nll": evalProper, "calibration": evalCalibration, "ood": evalOOD, "samples": evalSamples, "distal": evalDistal, "chains": evalChains,
	}[c.String("task")]
	noises, err := numbers(c, "noise", 0, 10)
	if err != nil {
		return err
	}
	switch {
	case task == nil:
		return usagef(c, "--task %q: want %s", c.String("task"), strings.Join(evalTasks, ", "))
	case checkSplit(c) != nil:
		return checkSplit(c)
	case c.IsSet("split") && splitless[c.String("task")] != "":
		return usagef(c, "--split goes without --task %s: %s", c.String("task"), splitless[c.String("task")])
	case c.Int("limit") < 0:
		return usagef(c, "--limit %d: want at least 0", c.Int("limit"))
	case len(noises) > 1 && c.String("task") != "accuracy":
		return usagef(c, "--noise %s: only --task accuracy takes several", c.String("noise"))
	}
	return withRun(c, func(s *screen, m *predict.Predictor) error {
		if err := apart(c.String("pictures"), m.Config, strings.Split(c.String("ood"), ",")...); err != nil {
			return err
		}
		return task(c, s, m)
	})
}

// splitless are the tasks that no split is chosen for, with the reason.
var splitless = map[string]string{
	"samples": "samples are compared with training and test images, with training images alone by --protocol dat",
	"distal":  "images are made from noise",
	"chains":  "chains begin in the replay buffer, or afresh",
}

// splitFlag says which of a run's images are measured on.
var splitFlag = &cli.StringFlag{Name: "split", Usage: "images: " + strings.Join(feed.Splits, ", ") + "; all: also those trained on; default: test, or where there are none valid, or all of a folder that isn't the run's"}

// checkSplit checks it.
func checkSplit(c *cli.Context) error {
	if c.IsSet("split") && !slices.Contains(feed.Splits, c.String("split")) {
		return usagef(c, "--split %q: want %s", c.String("split"), strings.Join(feed.Splits, ", "))
	}
	return nil
}

// pixelNoise is the noise that images get: --noise, of several the first, or the run's.
func pixelNoise(c *cli.Context, m *predict.Predictor) float32 {
	if all, _ := numbers(c, "noise", 0, 10); len(all) > 0 { // checked before
		return float32(all[0])
	}
	return m.Noise()
}

// numbers reads a flag of numbers from lo to hi between commas; none where it isn't set and
// has no default.
func numbers(c *cli.Context, flag string, lo, hi float64) (all []float64, err error) {
	if c.String(flag) == "" {
		return nil, nil
	}
	for _, text := range strings.Split(c.String(flag), ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(v >= lo && v <= hi) {
			return nil, usagef(c, "--%s %q: want numbers from %g to %g between commas", flag, c.String(flag), lo, hi)
		}
		all = append(all, v)
	}
	return all, nil
}

// counts is numbers for whole ones.
func counts(c *cli.Context, flag string, lo, hi int) (all []int, err error) {
	values, err := numbers(c, flag, float64(lo), float64(hi))
	for _, v := range values {
		if v != float64(int(v)) {
			return nil, usagef(c, "--%s %q: want whole numbers between commas", flag, c.String(flag))
		}
		all = append(all, int(v))
	}
	return all, err
}

// maxRefine bounds k: more steps than that are a slip.
const maxRefine = 10000

// evalAccuracy is jem eval --task accuracy.
func evalAccuracy(c *cli.Context, s *screen, m *predict.Predictor) error {
	refine, err := counts(c, "refine", 0, maxRefine)
	if err != nil {
		return err
	}
	noises, _ := numbers(c, "noise", 0, 10) // checked before
	if len(noises) == 0 {
		noises = []float64{float64(m.Noise())}
	}
	var all []eval.Result
	rows := []string{"NOISE\tREFINE\tACCURACY\tCROSS-ENTROPY\tLOG P(X)\tIMAGES"}
	for _, noise := range noises {
		for i, k := range refine {
			o := eval.Options{Split: c.String("split"), Limit: c.Int("limit"), Noise: float32(noise), Refine: k, Seed: c.Uint64("seed")}
			a, err := eval.Measure(c.Context, m, o, s.follow())
			if i == 0 { // the next k reads the same images
				s.notes(a.Notes)
			}
			if err != nil {
				return err
			}
			all = append(all, a)
			rows = append(rows, fmt.Sprintf("%.3g\t%d\t%.2f %%\t%.4f\t%.3f\t%d", noise, k, 100*a.Accuracy, a.Loss, a.LogPx, a.Images))
		}
	}
	if len(all) > 1 {
		return printResult(c, all, rows)
	}
	a := all[0]
	drawn := writePictures(c.String("pictures"), a.Pictures)
	shown := printResult(c, a, append([]string{fmt.Sprintf("%s accuracy %.2f %% on %s (%s, cross-entropy %.4f, pixel noise %g)", a.Split, 100*a.Accuracy, predict.CountImages(a.Images), a.Data, a.Loss, a.Noise)}, classRows(a.Breakdown)...))
	return errors.Join(drawn, shown)
}

// shownClasses is how many classes a table of them has.
const shownClasses = 20

// classRows are the classes' accuracies, and what their images were taken for.
func classRows(b predict.Breakdown) []string {
	rows := []string{"CLASS\tACCURACY\tIMAGES\tTAKEN FOR"}
	worst, of := b.Worst(shownClasses)
	if len(worst) < of {
		rows = append([]string{fmt.Sprintf("the %d of %d classes with the lowest accuracy:", len(worst), of)}, rows...)
	}
	for _, w := range worst {
		rows = append(rows, fmt.Sprintf("%s\t%.2f %%\t%d\t%s", escape(w.Class), 100*w.Accuracy, w.Images, escape(b.Mixed(w.Class, 3))))
	}
	return rows
}
