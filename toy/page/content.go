package page

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"jem/internal/report"
	"jem/toy"
)

// content is what the template shows.
type content struct {
	Title, Subtitle string
	Summary         []report.Fact
	Classes         []string
	Shares          string // of the contours: "50, 90 and 99 %"
	Lo, Hi          string // of the bar of colours, nats
	Points, HeldOut int
	ChainCount      int
	JEMSure         string // mean confidence far out
	TwinSure        string
	Far             []farRow
	Truth           *truthText
	Snapshots       bool
	Curves          []figure
	Reliability     []figure
	Settings        []report.Group
	Still           template.URL
	Payload         payload
}

type farRow struct {
	X, Y                      string
	Twin, JEM                 string // classes
	TwinKey, JEMKey           int
	TwinConfidence            string
	JEMConfidence             string
	LogP, Percentile, Opinion string
}

type truthText struct{ KL, LogZ, Sentence string }

// shares of the mass that the contours enclose.
var shares = []float64{0.5, 0.9, 0.99}

// fieldOf is a grid of the result with numbers alone: what is −∞ or none is as little as the least.
func fieldOf(g toy.Grid) field {
	least := math.Inf(1)
	for _, v := range g.Values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			least = min(least, v)
		}
	}
	if math.IsInf(least, 1) {
		least = 0
	}
	f := field{g.W, g.H, slices.Clone(g.Values)}
	for i, v := range f.v {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			f.v[i] = least
		}
	}
	return f
}

func windowOf(r *toy.Result) window {
	return window{r.Window.X0, r.Window.X1, r.Window.Y0, r.Window.Y1}
}

// scaleOf is the range of log p(x) that the ramp of colours covers: from its peak down beyond the contour
// of 99 % by half of what lies between, six nats at least and twenty at most.
func scaleOf(f field) (lo, hi float64) {
	hi = slices.Max(f.v)
	span := 1.5 * (hi - f.enclosing(0.99)[0])
	return hi - max(6, min(20, span)), hi
}

// outline is the log p(x) above which lie 95 % of the held-out points.
func outline(r *toy.Result) *float64 {
	if len(r.HeldOutLogP) == 0 {
		return nil
	}
	v := r.HeldOutLogP[len(r.HeldOutLogP)/20]
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func newContent(r *toy.Result) (*content, error) {
	curves := curves(r)
	settings, err := report.Settings(r.Run.Settings)
	if err != nil {
		return nil, err
	}
	still, err := still(r, 1, animationShades)
	if err != nil {
		return nil, err
	}
	p := newPayload(r)
	c := &content{
		Title: "What a joint energy-based model sees: " + r.Name, Subtitle: subtitle(r), Summary: summary(r),
		Classes: r.Classes, Shares: "50, 90 and 99 %", Lo: number(p.Scale[0], 1), Hi: number(p.Scale[1], 1),
		Points: len(r.Train.X), HeldOut: len(r.HeldOut.X), ChainCount: len(r.Chains.Class), Truth: truthOf(r), Snapshots: len(r.Snapshots) > 0,
		Curves: curves, Reliability: reliability(r), Settings: settings, Payload: p,
		Still: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(still)),
	}
	var jem, twin float64
	for _, f := range r.Far {
		c.Far = append(c.Far, rowOf(r, f))
		jem, twin = jem+f.JEMConfidence, twin+f.TwinConfidence
	}
	n := float64(max(1, len(r.Far)))
	c.JEMSure, c.TwinSure = percent(jem/n), percent(twin/n)
	return c, nil
}

func newPayload(r *toy.Result) payload {
	box, f := windowOf(r), fieldOf(r.Density)
	lo, hi := scaleOf(f)
	p := payload{
		Window: [4]float64{box.x0, box.x1, box.y0, box.y1}, Classes: r.Classes, Density: f.resample(densitySide).floats(),
		JEM: probabilities(r.JEM), Twin: probabilities(r.Twin), Steps: r.Run.Steps, Chains: chainsOf(r.Chains, box),
		Points:  codedPoints{quantised(r.Train.X, box.x0, box.x1), quantised(r.Train.Y, box.y0, box.y1), r.Train.Class},
		HeldOut: floats(r.HeldOutLogP), Outline: outline(r), Scale: [2]float64{lo, hi},
		Looks: map[string]look{"light": light.look(len(r.Classes)), "dark": dark.look(len(r.Classes))},
	}
	for i, at := range f.enclosing(shares...) {
		p.Levels = append(p.Levels, level{shares[i], at})
	}
	for _, i := range evenly(len(r.Snapshots), keptSnapshots) {
		s := r.Snapshots[i]
		g := fieldOf(s.Density).resample(snapshotSide).normal(box)
		p.Snapshots = append(p.Snapshots, codedSnapshot{s.Step, g.quantised(lo-2*(hi-lo), hi+2), g.enclosing(shares...)})
	}
	if r.Truth != nil {
		t := fieldOf(r.Truth.Density)
		coded := t.resample(snapshotSide).quantised(lo-2*(hi-lo), hi+2)
		p.Truth, p.TruthLevels = &coded, t.enclosing(shares...)
	}
	return p
}

func subtitle(r *toy.Result) string {
	parts := []string{fmt.Sprintf("%d points of %d classes", len(r.Train.X), len(r.Classes))}
	if r.Run.Recipe != "" {
		parts = append(parts, "recipe "+r.Run.Recipe)
	}
	parts = append(parts, fmt.Sprintf("%d steps", r.Run.Steps), fmt.Sprintf("seed %d", r.Run.Seed))
	for _, s := range []string{r.Run.Device, r.Run.Version} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " · ")
}

func summary(r *toy.Result) []report.Fact {
	facts := []report.Fact{{Name: "accuracy, held out", Value: percent(r.JEM.Accuracy), Note: "softmax alone " + percent(r.Twin.Accuracy)}}
	if r.Truth != nil {
		facts = append(facts, report.Fact{Name: "KL(truth ‖ model)", Value: number(r.Truth.KL, 3) + " nats", Note: "0 is perfect"})
	}
	if len(r.HeldOutLogP) > 0 {
		sum := 0.0
		for _, v := range r.HeldOutLogP {
			sum += v
		}
		facts = append(facts, report.Fact{Name: "mean log p(x), held out", Value: number(sum/float64(len(r.HeldOutLogP)), 2) + " nats"})
	}
	if len(r.Reliability.JEM) > 0 {
		facts = append(facts, report.Fact{Name: "calibration error", Value: percent(r.Reliability.JEM.ECE()), Note: "softmax alone " + percent(r.Reliability.Twin.ECE())})
	}
	return append(facts, report.Fact{Name: "time", Value: seconds(r.Run.Total), Note: "training " + seconds(r.Run.Training)})
}

func rowOf(r *toy.Result, f toy.FarPoint) farRow {
	row := farRow{
		X: windowOf(r).number(f.X), Y: windowOf(r).number(f.Y), Twin: r.Classes[f.TwinClass], JEM: r.Classes[f.JEMClass], TwinKey: f.TwinClass, JEMKey: f.JEMClass,
		TwinConfidence: percent(f.TwinConfidence), JEMConfidence: percent(f.JEMConfidence), LogP: number(f.LogP, 1),
		Percentile: number(f.Percentile, 1) + " %", Opinion: "no place for data",
	}
	if f.Percentile >= 5 {
		row.Opinion = "may be data"
	} else if f.Percentile > 0 {
		row.Opinion = "doubtful"
	}
	return row
}

func truthOf(r *toy.Result) *truthText {
	if r.Truth == nil {
		return nil
	}
	return &truthText{KL: number(r.Truth.KL, 3), LogZ: number(r.Truth.LogZ, 2),
		Sentence: fmt.Sprintf("That is the mean of log p(x) of the truth minus that of the model over the truth’s own points: as a geometric mean they are %s times as likely under the truth.", number(math.Exp(r.Truth.KL), 2))}
}

// number writes a number with so many digits behind the point.
func number(v float64, digits int) string {
	return strings.ReplaceAll(fmt.Sprintf("%.*f", digits, v), "-", "−")
}

// number writes a coordinate to some hundredth of the window's side; with an exponent where that takes many digits.
func (b window) number(v float64) string {
	digits := int(math.Ceil(1 - math.Log10(b.x1-b.x0)))
	if digits > 6 || digits < -5 {
		return strings.ReplaceAll(fmt.Sprintf("%.3g", v), "-", "−")
	}
	return number(v, max(0, digits))
}

// percent writes a share, as the page's script does: never 100 % for what is less.
func percent(p float64) string {
	switch {
	case p == 1:
		return "100 %"
	case p > 0.99995:
		return "> 99.99 %"
	case p > 0.999:
		return number(100*p, 2) + " %"
	}
	return number(100*p, 1) + " %"
}

func seconds(d time.Duration) string { return number(d.Seconds(), 1) + " s" }
