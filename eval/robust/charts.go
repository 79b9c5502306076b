package robust

import (
	"image"
	"math"
	"slices"

	"jem/internal/chart"
	"jem/internal/picture"
)

// curveFile is the file of the chart of accuracy against ε.
const curveFile = "curve.png"

// Charts is the curve, curve.png.
func (r Result) Charts() map[string]chart.Chart { return NewReport(r).Charts() }

// Curves draws accuracy, a share in [0,1], against ε, a line for each attack or predictor that has
// points.
func Curves(title string, lines ...chart.Line) chart.Chart {
	c := chart.Chart{Title: title, XLabel: "ε in 1/255", YLabel: "accuracy", YMax: 1}
	for _, l := range lines {
		if len(l.X) > 0 {
			c.Lines = append(c.Lines, l)
		}
	}
	return c
}

// line is a curve's line.
func line(name string, points []Point) chart.Line {
	l := chart.Line{Name: name}
	for _, at := range points {
		l.Add(at.Epsilon, at.Accuracy)
	}
	return l
}

// shownImages is how many broken images a picture shows.
const shownImages = 10

// Pictures shows broken images in three rows, adversarial-KIND-kK.png: clean, changed, and the
// change, its largest value stretched to the whole range around grey. There is none where nothing
// was broken.
func (r Result) Pictures() (map[string]image.Image, error) {
	clean, changed, change := r.Found.shown()
	n := len(clean) * len(r.Found.Labels) / max(1, len(r.Found.Clean))
	if n == 0 {
		return nil, nil
	}
	img, err := picture.Grid{Columns: n, Labels: []string{"clean", "attacked", "change"}}.Draw(picture.Batch{
		N: 3 * n, C: r.Found.Channels, H: r.Found.Size, W: r.Found.Size, Pix: slices.Concat(clean, changed, change),
	})
	return map[string]image.Image{r.Name() + ".png": img}, err
}

// shown are the first broken images before and after, and their change.
func (a Adversarial) shown() (clean, changed, change []float32) {
	d := len(a.Clean) / max(1, len(a.Labels))
	n := 0
	for i, radius := range a.Radius {
		if radius == 0 || math.IsInf(radius, 1) || n == shownImages {
			continue
		}
		n++
		x, y := a.Clean[i*d:(i+1)*d], a.Images[i*d:(i+1)*d]
		largest := float32(1e-6)
		for k := range x {
			largest = max(largest, y[k]-x[k], x[k]-y[k])
		}
		for k := range x {
			change = append(change, (y[k]-x[k])/largest)
		}
		clean, changed = append(clean, x...), append(changed, y...)
	}
	return clean, changed, change
}
