package toy

import (
	"fmt"
	"math"
	"slices"

	"jem/backend"
	"jem/feed"
	"jem/internal/metrics"
	"jem/model"
	"jem/train"
)

// logits are f(x) of images, by row. If one is no number the error is a *train.DivergedError.
func (m *maker) logits(j *model.JEM, images []float32) ([]float32, error) {
	k := len(m.result.Classes)
	out := make([]float32, len(images)/2*k)
	for lo := 0; lo < len(images)/2; lo += feed.EvalBatch {
		n := min(feed.EvalBatch, len(images)/2-lo)
		x := m.dev.New(backend.Image, n, 2, 1, 1)
		m.dev.Upload(x, images[2*lo:2*(lo+n)])
		err := m.dev.Download(out[lo*k:(lo+n)*k], j.Logits(x))
		m.dev.Free(x)
		if err != nil {
			return nil, err
		}
	}
	if i := slices.IndexFunc(out, func(v float32) bool { return v-v != 0 }); i >= 0 { // NaN or ±Inf
		return nil, &train.DivergedError{Step: m.step, Reason: fmt.Sprintf("a logit is %v", out[i])}
	}
	return out, nil
}

// density is log p(x) of an image on a grid, p(y|x), and log Z: all of the window in the data's units.
func (m *maker) density(j *model.JEM, side int) (g Grid, p []Grid, logZ float64, err error) {
	f, err := m.logits(j, cells(side))
	if err != nil {
		return g, nil, 0, err
	}
	k := len(m.result.Classes)
	g, p = Grid{W: side, H: side}, make([]Grid, k)
	for i := range side * side {
		z := model.LogSumExp(f[i*k : (i+1)*k])
		g.Values = append(g.Values, z)
		for y := range k {
			p[y].W, p[y].H = side, side
			p[y].Values = append(p[y].Values, math.Exp(float64(f[i*k+y])-z))
		}
	}
	top, sum := slices.Max(g.Values), 0.0
	for _, v := range g.Values {
		sum += math.Exp(v - top)
	}
	logZ = top + math.Log(sum*4/float64(side*side)) - m.plane.logUnit()
	for i := range g.Values {
		g.Values[i] -= logZ
	}
	return g, p, logZ, nil
}

func (m *maker) ask(j *model.JEM) (err error) {
	r := m.result
	if r.Density, r.JEM.P, m.logZ, err = m.density(j, gridSide); err != nil {
		return err
	}
	f, err := m.logits(j, m.held.images)
	k := len(r.Classes)
	for i := range len(f) / k {
		r.HeldOutLogP = append(r.HeldOutLogP, model.LogSumExp(f[i*k:(i+1)*k])-m.logZ)
	}
	slices.Sort(r.HeldOutLogP)
	return err
}

// sure is the likeliest class by a row of logits, and its probability.
func sure(row []float32) (class int, confidence float64) {
	class = model.Argmax(row)
	return class, math.Exp(float64(row[class]) - model.LogSumExp(row))
}

// judge is the accuracy and the reliability on the held-out points.
func (m *maker) judge(j *model.JEM) (float64, metrics.Reliability, error) {
	f, err := m.logits(j, m.held.images)
	if err != nil {
		return 0, nil, err
	}
	k, right := len(m.result.Classes), 0
	var seen []metrics.Verdict
	for i, y := range m.held.labels {
		row := f[i*k : (i+1)*k]
		best, confidence := sure(row)
		if best == int(y) {
			right++
		}
		seen = append(seen, metrics.Verdict{Confidence: confidence, Right: best == int(y)})
	}
	return float64(right) / float64(len(seen)), metrics.ReliableOf(seen, metrics.Bins), nil
}

func (m *maker) compare(jem, twin *model.JEM) (err error) {
	r := m.result
	if _, r.Twin.P, _, err = m.density(twin, gridSide); err != nil {
		return err
	}
	if r.JEM.Accuracy, r.Reliability.JEM, err = m.judge(jem); err != nil {
		return err
	}
	if r.Twin.Accuracy, r.Reliability.Twin, err = m.judge(twin); err != nil {
		return err
	}
	var places []float32
	for i := range 8 {
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + 0.5) / 8)
		for _, d := range []float64{1.3, 4}[i%2 : i%2+1] {
			places = append(places, float32(d*cos), float32(d*sin))
		}
	}
	a, err := m.logits(jem, places)
	if err != nil {
		return err
	}
	b, err := m.logits(twin, places)
	if err != nil {
		return err
	}
	k := len(r.Classes)
	for i := range len(places) / 2 {
		row, at := a[i*k:(i+1)*k], m.plane.place(places[2*i], places[2*i+1])
		p := FarPoint{X: at[0], Y: at[1], LogP: model.LogSumExp(row) - m.logZ}
		p.JEMClass, p.JEMConfidence = sure(row)
		p.TwinClass, p.TwinConfidence = sure(b[i*k : (i+1)*k])
		less, _ := slices.BinarySearch(r.HeldOutLogP, p.LogP)
		p.Percentile = 100 * float64(less) / float64(len(r.HeldOutLogP))
		r.Far = append(r.Far, p)
	}
	return nil
}
