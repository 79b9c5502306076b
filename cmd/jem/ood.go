package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/eval/ood"
	"jem/predict"
)

// evalOOD is jem eval --task ood.
func evalOOD(c *cli.Context, s *screen, m *predict.Predictor) error {
	o, err := oodOptions(c, m)
	if err != nil {
		return err
	}
	r, err := ood.Measure(c.Context, m, o, s.follow())
	s.notes(r.Notes)
	if err != nil {
		return err
	}
	drawn := writeCharts(c.String("pictures"), r.Charts())
	return errors.Join(drawn, printResult(c, r, oodRows(r)))
}

// namesOf are the names of a flag, between commas.
func namesOf(c *cli.Context, flag string) []string {
	all := strings.Split(c.String(flag), ",")
	for i, name := range all {
		all[i] = strings.TrimSpace(name)
	}
	return all
}

// oodOptions are the flags of the task.
func oodOptions(c *cli.Context, m *predict.Predictor) (o ood.Options, err error) {
	if !c.IsSet("ood") {
		return o, usagef(c, "--ood is missing: name sets, as in --ood svhn,interp,folder:PATH")
	}
	o = ood.Options{
		Split: c.String("split"), Limit: c.Int("limit"), Noise: pixelNoise(c, m), Sets: namesOf(c, "ood"),
		Scores: namesOf(c, "scores"), Temperature: c.Float64("temperature"),
		ODIN:      predict.ODIN{Temperature: c.Float64("odin-temperature"), Epsilon: c.Float64("odin-epsilon")},
		Neighbour: c.Int("neighbour"), FitImages: c.Int("fit-images"),
	}
	if c.String("scores") == "all" {
		o.Scores = ood.All
	}
	for _, name := range o.Scores {
		if !slices.Contains(ood.All, name) {
			return o, usagef(c, "--scores %q: want all, or some of %s", c.String("scores"), strings.Join(ood.All, ", "))
		}
	}
	switch {
	case !(o.Temperature >= 0) || math.IsInf(o.Temperature, 0):
		return o, usagef(c, "--temperature %g: want at least 0", o.Temperature)
	case !(o.ODIN.Temperature > 0) || !(o.ODIN.Epsilon >= 0) || math.IsInf(o.ODIN.Temperature+o.ODIN.Epsilon, 0):
		return o, usagef(c, "--odin-temperature %g, --odin-epsilon %g: want above 0 and at least 0", o.ODIN.Temperature, o.ODIN.Epsilon)
	case o.Neighbour < 1 || o.FitImages < 0:
		return o, usagef(c, "--neighbour %d, --fit-images %d: want at least 1 and 0", o.Neighbour, o.FitImages)
	}
	return o, nil
}

// auroc is a cell of the paper's table.
func auroc(r ood.Result, set ood.Set, score string) string {
	for _, f := range r.Figures {
		if f.Set == set.Set && f.Score == score {
			return fmt.Sprintf("%.4f", f.AUROC)
		}
	}
	return "-"
}

// oodRows are three tables: the paper's, of AUROC by score and set, OpenOOD's means, and all
// figures.
func oodRows(r ood.Result) []string {
	rows := []string{fmt.Sprintf("in-distribution: %s, %d images, pixel noise %g", r.In, r.Samples, r.Noise), r.Orientation, "", "AUROC"}
	header := []string{"SCORE"}
	for _, set := range r.Sets {
		header = append(header, escape(ood.Title(set.Set)))
	}
	rows = append(rows, strings.Join(header, "\t"))
	for _, score := range ood.All {
		if r.Scores[score] == "" {
			continue
		}
		row := []string{score}
		for _, set := range r.Sets {
			row = append(row, auroc(r, set, score))
		}
		rows = append(rows, strings.Join(row, "\t"))
	}
	if len(r.Groups) > 0 {
		rows = append(rows, "", "means over near and far sets as OpenOOD groups them; its FPR@95 is FPR95 OUT", "GROUP\tSCORE\tSETS\tAUROC\tFPR95\tFPR95 OUT")
		for _, g := range r.Groups {
			rows = append(rows, fmt.Sprintf("%s\t%s\t%d\t%.4f\t%.4f\t%.4f", g.Group, g.Score, g.Sets, g.AUROC, g.FPR95, g.FPR95Out))
		}
	}
	rows = append(rows, "", "SET\tSCORE\tAUROC\t± SE\tAUPR IN\tAUPR OUT\tFPR95\tFPR95 OUT\tIMAGES")
	for _, f := range r.Figures {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%d + %d",
			escape(ood.Title(f.Set)), f.Score, f.AUROC, f.AUROCSE, f.AUPRIn, f.AUPROut, f.FPR95, f.FPR95Out, f.In, f.Out))
	}
	rows = append(rows, "± SE: standard error of the AUROC (DeLong), of other images; other seeds of the training may differ by more")
	for _, set := range r.Sets {
		if set.Missing != "" {
			rows = append(rows, fmt.Sprintf("%s\tnot measured: %s", escape(ood.Title(set.Set)), escape(set.Missing)))
		}
		if set.Seen {
			rows = append(rows, fmt.Sprintf("%s\tseen: such images were outliers in training (%s), so that telling them apart is no test", escape(ood.Title(set.Set)), r.Outliers))
		}
	}
	if _, ok := r.Scores["energy"]; ok {
		rows = append(rows, "", "energy: E(x) = −log p(x) up to log Z, so its figures are those of px")
	}
	return rows
}
