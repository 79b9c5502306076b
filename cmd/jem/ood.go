package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/internal/picture"
	"jem/train"
)

// histogramBins are the paper's 100, or fewer where a set has less than 2,000 images: 20 a
// bin on average, so that the shape shows through the noise.
func histogramBins(in, out []float64) int { return min(max(min(len(in), len(out))/20, 10), 100) }

// ood is jem eval --task ood.
func (p *program) ood(c *cli.Context, s *screen, m *train.Predictor) error {
	if !c.IsSet("ood") {
		return usagef(c, "--ood is missing: name sets, as in --ood svhn,interp,folder:PATH")
	}
	names := strings.Split(c.String("ood"), ",")
	split := c.String("split")
	images, notes, err := train.OpenImages(m.Config, split)
	s.notes(notes)
	if err != nil {
		return err
	}
	subject, err := m.Subject()
	if err != nil {
		return err
	}
	in, err := oodScores(s, m, split, train.Head(images, c.Int("limit")))
	if err != nil {
		return err
	}
	result := train.OODResult{Subject: subject, In: subject.Data + " " + split, Orientation: train.Orientation}
	for _, name := range names {
		images, notes, err := m.OpenOOD(name, c.Int("limit"))
		s.notes(notes)
		if err != nil {
			return err
		}
		out, err := oodScores(s, m, name, images)
		if err != nil {
			return err
		}
		figures, err := train.DetectOOD(name, in, out)
		if err != nil {
			return err
		}
		result.Figures = append(result.Figures, figures...)
		if err := p.histograms(c, result.In, name, in, out, figures); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return p.json(result)
	}
	return p.table(oodRows(result)...)
}

// oodScores computes the OOD scores of images.
func oodScores(s *screen, m *train.Predictor, about string, images train.Images) (map[string][]float64, error) {
	o, err := outputs(s, m, about, images, true)
	if err != nil {
		return nil, err
	}
	return o.Scores()
}

func oodRows(r train.OODResult) []string {
	rows := []string{
		fmt.Sprintf("in-distribution: %s, pixel noise %g", r.In, r.Noise), r.Orientation,
		"SET\tSCORE\tAUROC\tAUPR IN\tAUPR OUT\tFPR95\tFPR95 OUT\tIMAGES",
	}
	for _, f := range r.Figures {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%d + %d",
			escape(f.Set), f.Score, f.AUROC, f.AUPRIn, f.AUPROut, f.FPR95, f.FPR95Out, f.In, f.Out))
	}
	return rows
}

// histograms draws each score's distribution in both sets.
func (p *program) histograms(c *cli.Context, inName, name string, in, out map[string][]float64, figures []train.OODFigure) error {
	for _, f := range figures {
		a, b, label := in[f.Score], out[f.Score], scoreLabels[f.Score]
		if f.Score == "pxgrad" {
			a, b = negLogNorm(a), negLogNorm(b)
		}
		lines := picture.Densities(histogramBins(a, b), a, b)
		err := p.picture(c, "ood-"+fileName(name)+"-"+f.Score+".svg", picture.Chart{
			Title:  fmt.Sprintf("%s: AUROC %.3f", name, f.AUROC),
			XLabel: label, YLabel: "density",
			Series: []picture.Series{{Name: inName, Points: lines[0], Filled: true}, {Name: name, Points: lines[1], Dashed: true}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var scoreLabels = map[string]string{
	"px": "log p(x) + log Z", "py": "max p(y|x)", "pxgrad": "−log ‖∂log p(x)/∂x‖",
}

// negLogNorm makes the published histogram's −log‖g‖ of −‖g‖, which has the same order.
// A gradient of exactly 0 is shown as the least positive float32.
func negLogNorm(scores []float64) []float64 {
	out := make([]float64, len(scores))
	for i, v := range scores {
		out[i] = -math.Log(max(-v, math.SmallestNonzeroFloat32))
	}
	return out
}

// fileName is a set's name without what a file system may refuse.
func fileName(set string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.", r) {
			return r
		}
		return '_'
	}, strings.ToLower(filepath.Base(strings.TrimPrefix(set, "folder:"))))
}
