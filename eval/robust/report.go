package robust

import (
	"fmt"
	"image"
	"maps"

	"jem/eval/attack"
	"jem/internal/chart"
)

// Report is what several attacks found.
type Report struct {
	Attacks []Result    `json:"attacks"`
	Worst   []WorstCase `json:"worst,omitempty"` // of each predictor that there are several attacks on
}

// WorstCase is the accuracy under all attacks on one predictor together.
type WorstCase struct {
	Refine int     `json:"refine"` // k of JEM-k
	Points []Point `json:"points"`
}

// NewReport puts attacks on the same images together, the predictors JEM-k in the order in which
// they come.
func NewReport(all ...Result) Report {
	r := Report{Attacks: all}
	of := map[int][]Result{}
	var order []int
	for _, a := range all {
		if of[a.Refine] == nil {
			order = append(order, a.Refine)
		}
		of[a.Refine] = append(of[a.Refine], a)
	}
	for _, k := range order {
		if len(of[k]) > 1 {
			r.Worst = append(r.Worst, WorstCase{k, worst(of[k])})
		}
	}
	return r
}

// worst is the curve of the images' smallest ε under any of several attacks on one predictor.
func worst(all []Result) []Point {
	var outcomes []attack.Outcome
	for _, r := range all {
		outcomes = append(outcomes, r.Found.Outcome)
	}
	o := all[0].Options
	return o.points(attack.Worst(outcomes...).Points(o.radii()))
}

// Charts are the curves of all attacks in one chart, curve.png.
func (r Report) Charts() map[string]chart.Chart {
	first := r.Attacks[0]
	var lines []chart.Line
	for _, a := range r.Attacks {
		lines = append(lines, line(fmt.Sprintf("JEM-%d, %s", a.Refine, a.Kind), a.Points))
	}
	for _, w := range r.Worst {
		lines = append(lines, line(fmt.Sprintf("JEM-%d, all together", w.Refine), w.Points))
	}
	c := Curves(fmt.Sprintf("accuracy under attack, %s, %d images of %s", first.Norm, first.Images, first.Data), lines...)
	return map[string]chart.Chart{curveFile: c}
}

// Pictures are those of all attacks.
func (r Report) Pictures() (map[string]image.Image, error) {
	all := map[string]image.Image{}
	for _, a := range r.Attacks {
		some, err := a.Pictures()
		if err != nil {
			return nil, err
		}
		maps.Copy(all, some)
	}
	return all, nil
}
