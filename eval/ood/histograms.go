package ood

import (
	"fmt"
	"math"
	"strings"

	"jem/internal/chart"
)

// Charts are each score's distribution in both sets, as in the paper's Table 2, by the names
// of their files, ood-SET-SCORE.png. A result that was read from a file has none: it doesn't
// hold the scores of every image.
func (r Result) Charts() map[string]chart.Chart {
	all := map[string]chart.Chart{}
	for _, f := range r.Figures {
		if r.out[f.Set] == nil {
			continue
		}
		a, b := Shown(f.Score, r.in[f.Score]), Shown(f.Score, r.out[f.Set][f.Score])
		lines := chart.Density(histogramBins(a, b), a, b)
		lines[0].Name, lines[1].Name = r.In, Title(f.Set)
		all["ood-"+fileName(f.Set)+"-"+f.Score+".png"] = chart.Chart{
			Title:  fmt.Sprintf("%s: AUROC %.3f by %s", Title(f.Set), f.AUROC, f.Score),
			XLabel: labels[f.Score], YLabel: "density", Lines: lines,
		}
	}
	return all
}

// histogramBins are the paper's 100, or fewer where a set has less than 2,000 images: 20 a
// bin on average, so that the shape shows through the noise.
func histogramBins(in, out []float64) int { return min(max(min(len(in), len(out))/20, 10), 100) }

// labels are what histograms show of each score, see Shown.
var labels = map[string]string{
	"px": "log p(x) + log Z", "py": "max p(y|x)", "pxgrad": "−log ‖∂log p(x)/∂x‖", "energy": "−E(x)", "maxlogit": "largest logit",
	"msp": "max p(y|x) at a temperature", "odin": "max p(y|x) of ODIN", "mahalanobis": "−log of the squared Mahalanobis distance",
	"relative": "relative Mahalanobis score", "knn": "−distance to the k-th neighbour",
}

// Shown are scores as histograms show them: −‖g‖ and squared distances as −log, as published,
// which leaves their order. Exactly 0 is shown as the least positive float32.
func Shown(score string, values []float64) []float64 {
	if score != "pxgrad" && score != "mahalanobis" {
		return values
	}
	out := make([]float64, len(values))
	for i, v := range values {
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
	}, strings.ToLower(Title(set)))
}
