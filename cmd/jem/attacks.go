package main

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"

	"jem/eval/robust"
	"jem/internal/chart"
	"jem/internal/claim"
	"jem/internal/picture"
	"jem/internal/safetensors"
	"jem/predict"
)

// attacked is the folder of an attack's results. What else the user has put into one stays.
var attacked = claim.Kind{Of: "an attack", Marker: ".jem-attack", Own: func(_, _ string, marked bool) bool { return marked }}

// takeAttacked makes a folder, if there is one, an attack's.
func takeAttacked(folder string, m *predict.Predictor) error {
	if folder == "" {
		return nil
	}
	if err := apart(folder, m.Config); err != nil {
		return err
	}
	return claim.Take(folder, attacked)
}

// writeAttacks writes what jem attack found into a folder, if there is one: attack.json, the
// curves, and of each attack the images as tensors and as a picture. What was kept for an
// interruption is removed at the end.
func writeAttacks(folder string, report attackReport) error {
	if folder == "" {
		return nil
	}
	for _, r := range report.Attacks {
		name := fmt.Sprintf("adversarial-%s-k%d", r.Kind, r.Refine)
		tensors, err := adversarialTensors(r)
		if err != nil {
			return err
		}
		if err := writeInto(filepath.Join(folder, name+".safetensors"), tensors); err != nil {
			return err
		}
		png, err := adversarialPicture(r)
		if err != nil {
			return err
		}
		if png == nil {
			continue
		}
		if err := writeInto(filepath.Join(folder, name+".png"), png); err != nil {
			return err
		}
	}
	png, err := attackChart(report).PNG()
	if err != nil {
		return err
	}
	if err := writeInto(filepath.Join(folder, "curve.png"), png); err != nil {
		return err
	}
	b, err := marshal(report)
	if err != nil {
		return err
	}
	if err := writeInto(filepath.Join(folder, "attack.json"), b); err != nil {
		return err
	}
	for _, r := range report.Attacks {
		if err := r.Forget(); err != nil {
			return err
		}
	}
	return nil
}

// adversarialTensors are x and x_adv (n,C,H,W) with pixels in [−1,1], label (n) and epsilon
// (n) in 1/255: 0 for images answered wrongly without an attack, infinite where none broke
// them; there x_adv is x.
func adversarialTensors(r robust.Result) ([]byte, error) {
	n := len(r.Found.Labels)
	shape := []int{n, r.Found.Channels, r.Found.Size, r.Found.Size}
	epsilon := make([]float32, n)
	for i, v := range r.Found.Radius {
		epsilon[i] = float32(v * 255 / 2)
	}
	var b bytes.Buffer
	err := safetensors.Write(&b, []safetensors.Tensor{
		{Name: "x", Shape: shape, F32: r.Found.Clean},
		{Name: "x_adv", Shape: shape, F32: r.Found.Images},
		{Name: "label", Shape: []int{n}, I32: r.Found.Labels},
		{Name: "epsilon", Shape: []int{n}, F32: epsilon},
	})
	return b.Bytes(), err
}

// shownImages is how many broken images a picture shows.
const shownImages = 10

// adversarialPicture shows broken images in three rows: clean, changed, and the change, its
// largest value stretched to the whole range around grey. It is nil where nothing was broken.
func adversarialPicture(r robust.Result) ([]byte, error) {
	d := len(r.Found.Clean) / len(r.Found.Labels)
	var clean, changed, change []float32
	n := 0
	for i, radius := range r.Found.Radius {
		if radius == 0 || math.IsInf(radius, 1) || n == shownImages {
			continue
		}
		n++
		a, b := r.Found.Clean[i*d:(i+1)*d], r.Found.Images[i*d:(i+1)*d]
		largest := float32(1e-6)
		for k := range a {
			largest = max(largest, b[k]-a[k], a[k]-b[k])
		}
		for k := range a {
			change = append(change, (b[k]-a[k])/largest)
		}
		clean, changed = append(clean, a...), append(changed, b...)
	}
	if n == 0 {
		return nil, nil
	}
	all := append(append(clean, changed...), change...)
	img, err := picture.Grid{Columns: n, Labels: []string{"clean", "attacked", "change"}}.Draw(picture.Batch{N: 3 * n, C: r.Found.Channels, H: r.Found.Size, W: r.Found.Size, Pix: all})
	if err != nil {
		return nil, err
	}
	return picture.PNG(img)
}

// attackChart is accuracy against ε, a curve for each attack.
func attackChart(report attackReport) chart.Chart {
	first := report.Attacks[0]
	d := chart.Chart{
		Title:  fmt.Sprintf("accuracy under attack, %s, %d images of %s", first.Norm, first.Images, first.Data),
		XLabel: "ε in 1/255", YLabel: "accuracy", YMax: 1,
	}
	add := func(name string, points []robust.Point) {
		l := chart.Line{Name: name}
		for _, at := range points {
			l.Add(at.Epsilon, at.Accuracy)
		}
		d.Lines = append(d.Lines, l)
	}
	for _, r := range report.Attacks {
		add(fmt.Sprintf("JEM-%d, %s", r.Refine, r.Kind), r.Points)
	}
	for _, w := range report.Worst {
		add(fmt.Sprintf("JEM-%d, all together", w.Refine), w.Points)
	}
	return d
}
