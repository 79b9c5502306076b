package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/eval/ood"
	"jem/feed"
	"jem/internal/chart"
	"jem/predict"
)

// ood is jem eval --task ood.
func (p *program) ood(c *cli.Context, s *screen, m *predict.Predictor) error {
	o, names, err := oodOptions(c)
	if err != nil {
		return err
	}
	split, noise := c.String("split"), pixelNoise(c, m)
	images, notes, err := feed.OpenImages(m.Config, split, noise)
	s.notes(notes)
	if err != nil {
		return err
	}
	others, err := openOthers(c, s, m, names)
	if err != nil {
		return err
	}
	scorer, notes, err := ood.NewScorer(c.Context, m, noise, o, s.follow())
	s.notes(notes)
	if err != nil {
		return err
	}
	in, own, err := scorer.Score(c.Context, split, feed.Head(images, c.Int("limit")), s.follow())
	if err != nil {
		return err
	}
	result, err := oodResult(c, m, scorer, own)
	if err != nil {
		return err
	}
	for i, name := range names {
		out, set, err := scorer.Score(c.Context, name, others[i], s.follow())
		if err != nil {
			return err
		}
		if err := result.Add(set, in, out); err != nil {
			return err
		}
		if err := histograms(c, result, name, in, out); err != nil {
			return err
		}
	}
	return p.result(c, result, oodRows(result))
}

// openOthers opens all sets, before the hours that scores may take.
func openOthers(c *cli.Context, s *screen, m *predict.Predictor, names []string) (all []feed.Images, err error) {
	for _, name := range names {
		images, notes, err := ood.Open(m, name, c.Int("limit"), pixelNoise(c, m))
		s.notes(notes)
		if err != nil {
			return nil, err
		}
		all = append(all, images)
	}
	return all, nil
}

// oodResult begins a result for the in-distribution images that were scored.
func oodResult(c *cli.Context, m *predict.Predictor, scorer *ood.Scorer, own ood.Set) (r ood.Result, err error) {
	r.Subject = m.Subject(pixelNoise(c, m))
	r.In, r.Orientation, r.Scorer, r.Scores = r.Subject.Data+" "+own.Set, ood.Orientation, scorer.Options, map[string]string{}
	r.Protocol = predict.Protocol{Text: oodProtocol, DataHash: own.Data, Samples: own.Images}
	for _, name := range scorer.Options.Scores {
		r.Scores[name] = ood.Meanings[name]
	}
	return r, nil
}

const oodProtocol = "all images of both sets with the run's evaluation noise, one pass of the network each, two for odin; features compared with training images without augmentation"

// oodOptions are the flags of the task.
func oodOptions(c *cli.Context) (o ood.Options, sets []string, err error) {
	if !c.IsSet("ood") {
		return o, nil, usagef(c, "--ood is missing: name sets, as in --ood svhn,interp,folder:PATH")
	}
	o = ood.Options{
		Scores: strings.Split(c.String("scores"), ","), Temperature: c.Float64("temperature"),
		ODIN:      predict.ODIN{Temperature: c.Float64("odin-temperature"), Epsilon: c.Float64("odin-epsilon")},
		Neighbour: c.Int("neighbour"), FitImages: c.Int("fit-images"),
	}
	if c.String("scores") == "all" {
		o.Scores = ood.All
	}
	for _, name := range o.Scores {
		if !slices.Contains(ood.All, name) {
			return o, nil, usagef(c, "--scores %q: want all, or some of %s", c.String("scores"), strings.Join(ood.All, ", "))
		}
	}
	switch {
	case !(o.Temperature >= 0) || math.IsInf(o.Temperature, 0):
		return o, nil, usagef(c, "--temperature %g: want at least 0", o.Temperature)
	case !(o.ODIN.Temperature > 0) || !(o.ODIN.Epsilon >= 0) || math.IsInf(o.ODIN.Temperature+o.ODIN.Epsilon, 0):
		return o, nil, usagef(c, "--odin-temperature %g, --odin-epsilon %g: want above 0 and at least 0", o.ODIN.Temperature, o.ODIN.Epsilon)
	case o.Neighbour < 1 || o.FitImages < 0:
		return o, nil, usagef(c, "--neighbour %d, --fit-images %d: want at least 1 and 0", o.Neighbour, o.FitImages)
	}
	return o, strings.Split(c.String("ood"), ","), nil
}

// oodRows are three tables: the paper's, of AUROC by score and set, OpenOOD's means, and all
// figures.
func oodRows(r ood.Result) []string {
	rows := []string{fmt.Sprintf("in-distribution: %s, %d images, pixel noise %g", r.In, r.Samples, r.Noise), r.Orientation, "", "AUROC"}
	header := []string{"SCORE"}
	for _, set := range r.Sets {
		header = append(header, escape(setName(set.Set)))
	}
	rows = append(rows, strings.Join(header, "\t"))
	for _, score := range ood.All {
		row := []string{score}
		for _, f := range r.Figures {
			if f.Score == score {
				row = append(row, fmt.Sprintf("%.4f", f.AUROC))
			}
		}
		if len(row) > 1 {
			rows = append(rows, strings.Join(row, "\t"))
		}
	}
	if len(r.Groups) > 0 {
		rows = append(rows, "", "means over near and far sets as OpenOOD groups them; its FPR@95 is FPR95 OUT", "GROUP\tSCORE\tSETS\tAUROC\tFPR95\tFPR95 OUT")
		for _, g := range r.Groups {
			rows = append(rows, fmt.Sprintf("%s\t%s\t%d\t%.4f\t%.4f\t%.4f", g.Group, g.Score, g.Sets, g.AUROC, g.FPR95, g.FPR95Out))
		}
	}
	rows = append(rows, "", "SET\tSCORE\tAUROC\tAUPR IN\tAUPR OUT\tFPR95\tFPR95 OUT\tIMAGES")
	for _, f := range r.Figures {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%d + %d",
			escape(setName(f.Set)), f.Score, f.AUROC, f.AUPRIn, f.AUPROut, f.FPR95, f.FPR95Out, f.In, f.Out))
	}
	if _, ok := r.Scores["energy"]; ok {
		rows = append(rows, "", "energy: E(x) = −log p(x) up to log Z, so its figures are those of px")
	}
	return rows
}

// setName is a set's name for people: of a folder the last part.
func setName(set string) string {
	if path, ok := strings.CutPrefix(set, "folder:"); ok {
		return filepath.Base(path)
	}
	return set
}

// histograms draws each score's distribution in both sets.
func histograms(c *cli.Context, r ood.Result, name string, in, out map[string][]float64) error {
	for _, f := range r.Figures {
		if f.Set != name {
			continue
		}
		a, b := ood.Shown(f.Score, in[f.Score]), ood.Shown(f.Score, out[f.Score])
		lines := chart.Density(histogramBins(a, b), a, b)
		lines[0].Name, lines[1].Name = r.In, setName(name)
		err := draw(c, "ood-"+fileName(name)+"-"+f.Score+".png", chart.Chart{
			Title:  fmt.Sprintf("%s: AUROC %.3f by %s", setName(name), f.AUROC, f.Score),
			XLabel: scoreLabels[f.Score], YLabel: "density", Lines: lines,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// histogramBins are the paper's 100, or fewer where a set has less than 2,000 images: 20 a
// bin on average, so that the shape shows through the noise.
func histogramBins(in, out []float64) int { return min(max(min(len(in), len(out))/20, 10), 100) }

var scoreLabels = map[string]string{
	"px": "log p(x) + log Z", "py": "max p(y|x)", "pxgrad": "−log ‖∂log p(x)/∂x‖", "energy": "−E(x)", "maxlogit": "largest logit",
	"msp": "max p(y|x) at a temperature", "odin": "max p(y|x) of ODIN", "mahalanobis": "−log of the squared Mahalanobis distance",
	"relative": "relative Mahalanobis score", "knn": "−distance to the k-th neighbour",
}

// fileName is a set's name without what a file system may refuse.
func fileName(set string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.", r) {
			return r
		}
		return '_'
	}, strings.ToLower(setName(set)))
}
