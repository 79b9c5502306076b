package ood

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/metrics"
	"jem/predict"
)

// OODScores are the paper's scores, by which in-distribution images are told from others
// (official --score_fn): px, py and pxgrad of AllScores.
var Published = []string{"px", "py", "pxgrad"}

// AllScores are the scores that NewScorer knows, in the order of tables. Each is higher for
// images that look in-distribution.
var All = []string{"px", "py", "pxgrad", "energy", "maxlogit", "msp", "odin", "mahalanobis", "relative", "knn"}

// ScoreMeanings say what each score is and where it comes from.
var Meanings = map[string]string{
	"px":          "log p(x) = LogSumExp of the logits, up to log Z (Grathwohl et al. 2020)",
	"py":          "max_y p(y|x) (Hendrycks & Gimpel 2017)",
	"pxgrad":      "approximate mass −‖∂log p(x)/∂x‖₂, pixels in [−1,1] (Grathwohl et al. 2020)",
	"energy":      "−E(x) at temperature 1 (Liu et al. 2020): E(x) = −log p(x) here, so its figures are those of px",
	"maxlogit":    "max_y f(x)[y] (Hendrycks et al. 2022)",
	"msp":         "max_y p(y|x) of logits divided by a temperature (Guo et al. 2017)",
	"odin":        "the same of an image moved against its cross-entropy's gradient (Liang et al. 2018)",
	"mahalanobis": "minus the squared Mahalanobis distance of features to the nearest class (Lee et al. 2018)",
	"relative":    "that plus the distance to the features of all classes together (Ren et al. 2021)",
	"knn":         "minus the distance of normalised features to the k-th nearest training image (Sun et al. 2022)",
}

// Orientation says, in results, what the figures of OOD detection mean.
const Orientation = "in-distribution is positive, a higher score means more in-distribution; fpr95: OOD images passed at 95 % of the in-distribution ones; fpr95_out: the reverse"

// OODFigure is how well a score tells one set from the in-distribution images.
type Figure struct {
	Set   string `json:"set"`
	Group string `json:"group"` // near, far or "", see Group
	Score string `json:"score"`
	metrics.Detection
}

// OODResult is a table of figures.
type Result struct {
	predict.Subject
	predict.Protocol
	In          string            `json:"in_distribution"`
	Orientation string            `json:"orientation"`
	Scores      map[string]string `json:"scores"` // what they mean
	Scorer      Options           `json:"scorer"`
	Sets        []Set             `json:"sets"`
	Figures     []Figure          `json:"figures"`
	Groups      []Mean            `json:"groups"`
}

// OODSet is a set of images that was told from the in-distribution ones.
type Set struct {
	Set    string `json:"set"`
	Group  string `json:"group"`
	Images int    `json:"images"`
	Data   string `json:"data_sha256"`
}

// OODGroup are means over the sets of a group, OpenOOD's summary.
type Mean struct {
	Group    string  `json:"group"`
	Score    string  `json:"score"`
	Sets     int     `json:"sets"`
	AUROC    float64 `json:"auroc"`
	FPR95    float64 `json:"fpr95"`
	FPR95Out float64 `json:"fpr95_out"` // what OpenOOD calls FPR@95: OOD is its positive
}

// groups are OpenOOD's near and far sets, by in-distribution set (Yang et al. 2022, Zhang et
// al. 2023, the small benchmarks).
var groups = map[string]map[string][]string{
	"cifar10":  {"near": {"cifar100", "tiny-imagenet"}, "far": {"mnist", "svhn", "textures", "places365"}},
	"cifar100": {"near": {"cifar10", "tiny-imagenet"}, "far": {"mnist", "svhn", "textures", "places365"}},
	"mnist":    {"near": {"fashion-mnist"}, "far": {"cifar10", "tiny-imagenet", "textures", "places365"}},
}

// Group is near or far, as OpenOOD groups a set for an in-distribution set; else "". A folder
// of pictures is the set that it is named for.
func Group(in, set string) string {
	if path, ok := strings.CutPrefix(set, "folder:"); ok {
		set = filepath.Base(path)
	}
	for name, sets := range groups[in] {
		if slices.Contains(sets, set) {
			return name
		}
	}
	return ""
}

// Add compares the scores of the in-distribution images with those of a set and adds the
// figures and means.
func (r *Result) Add(set Set, in, out map[string][]float64) error {
	figures, err := Detect(set.Set, in, out)
	if err != nil {
		return err
	}
	set.Group = Group(r.Subject.Data, set.Set)
	r.Sets = append(r.Sets, set)
	for _, f := range figures {
		f.Group = set.Group
		r.Figures = append(r.Figures, f)
	}
	r.Groups = means(r.Figures)
	return nil
}

// means are the mean figures by group and score, near before far.
func means(figures []Figure) (all []Mean) {
	for _, name := range []string{"near", "far"} {
		for _, score := range All {
			g := Mean{Group: name, Score: score}
			for _, f := range figures {
				if f.Group == name && f.Score == score {
					g.Sets++
					g.AUROC, g.FPR95, g.FPR95Out = g.AUROC+f.AUROC, g.FPR95+f.FPR95, g.FPR95Out+f.FPR95Out
				}
			}
			if n := float64(g.Sets); n > 0 {
				g.AUROC, g.FPR95, g.FPR95Out = g.AUROC/n, g.FPR95/n, g.FPR95Out/n
				all = append(all, g)
			}
		}
	}
	return all
}

// PaperScores computes px and py, and pxgrad where there are gradients, by name.
func Of(o *predict.Outputs) (map[string][]float64, error) {
	if _, err := metrics.Softmax(o.Logits); err != nil {
		return nil, err
	}
	s := map[string][]float64{}
	for n := range o.Logits.N {
		s["py"] = append(s["py"], predict.MaxProbability(o.Logits.Row(n), 1))
		s["px"] = append(s["px"], logPx(o.Logits.Row(n)))
	}
	for _, v := range o.GradNorm {
		s["pxgrad"] = append(s["pxgrad"], -v)
	}
	return s, nil
}

// logPx is the LogSumExp of a row of logits.
func logPx(row []float64) float64 {
	top, sum := slices.Max(row), 0.0
	for _, v := range row {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// DetectOOD compares the scores of the in-distribution images with those of a set: a figure
// for each score that both have, in the order of AllScores.
func Detect(set string, in, out map[string][]float64) ([]Figure, error) {
	var all []Figure
	for _, score := range All {
		if in[score] == nil || out[score] == nil {
			continue
		}
		d, err := metrics.Detect(in[score], out[score])
		if err != nil {
			return nil, fmt.Errorf("score %s of %s: %w", score, set, err)
		}
		all = append(all, Figure{Set: set, Score: score, Detection: d})
	}
	return all, nil
}
