package train

import (
	"fmt"
	"math"

	"jem/internal/metrics"
)

// OODScores are the scores by which in-distribution images are told from others, each
// higher for images that look in-distribution (official --score_fn):
//
//	px      log p(x) = LogSumExp of the logits, up to log Z
//	py      max_y p(y|x)
//	pxgrad  approximate mass, −‖∂log p(x)/∂x‖₂ over the pixels in [−1,1] units
var OODScores = []string{"px", "py", "pxgrad"}

// Orientation says, in results, what the figures of OOD detection mean.
const Orientation = "in-distribution is positive, a higher score means more in-distribution; fpr95: OOD images passed at 95 % of the in-distribution ones; fpr95_out: the reverse"

// OODFigure is how well a score tells one set from the in-distribution images.
type OODFigure struct {
	Set   string `json:"set"`
	Score string `json:"score"`
	metrics.Detection
}

// OODResult is a table of figures.
type OODResult struct {
	Subject
	In          string      `json:"in_distribution"`
	Orientation string      `json:"orientation"`
	Figures     []OODFigure `json:"figures"`
}

// Scores computes the scores of OODScores from outputs with gradients, by name.
func (o *Outputs) Scores() (map[string][]float64, error) {
	p, err := metrics.Softmax(o.Logits)
	if err != nil {
		return nil, err
	}
	s := map[string][]float64{}
	for n := range o.Logits.N {
		confidence := 0.0
		for _, v := range p.Row(n) {
			confidence = max(confidence, v)
		}
		s["py"] = append(s["py"], confidence)
		s["px"] = append(s["px"], o.logPx(n))
	}
	for _, v := range o.GradNorm {
		s["pxgrad"] = append(s["pxgrad"], -v)
	}
	return s, nil
}

// logPx is the LogSumExp of row n.
func (o *Outputs) logPx(n int) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range o.Logits.Row(n) {
		top = max(top, v)
	}
	for _, v := range o.Logits.Row(n) {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// DetectOOD compares the scores of the in-distribution images with those of a set.
func DetectOOD(set string, in, out map[string][]float64) ([]OODFigure, error) {
	var all []OODFigure
	for _, score := range OODScores {
		d, err := metrics.Detect(in[score], out[score])
		if err != nil {
			return nil, fmt.Errorf("score %s of %s: %w", score, set, err)
		}
		all = append(all, OODFigure{set, score, d})
	}
	return all, nil
}
