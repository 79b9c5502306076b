package predict

import (
	"cmp"
	"image"
	"math"
	"slices"

	"jem/internal/metrics"
	"jem/internal/picture"
	"jem/model"
)

// Judgement is an evaluation with what is behind its accuracy.
type Judgement struct {
	Accuracy
	Confusion *metrics.Confusion
	Mistakes  []Mistake // the worst, the surest first
	keep      int       // at most so many

	channels, size int               // of their images
	seen           []metrics.Verdict // of each image
}

// Mistake is an image that the network is wrong about.
type Mistake struct {
	Image         int // its number in the set, from 0
	Class, Answer int
	Confidence    float64 // p(answer|x)

	pixels []float32 // (C,H,W), as the network saw it
}

// ECEBins is the number of bins, of equal width, of an evaluation's ECE: that of most papers; package
// calibration has others, too.
const ECEBins = 15

// The worst mistakes that are kept: so many, but no more pixel values than a large image has.
const (
	maxMistakes      = 40
	maxMistakeValues = 4 << 20
)

func newJudgement(images int, n model.Config) *Judgement {
	return &Judgement{
		Accuracy: Accuracy{Images: images}, Confusion: metrics.NewConfusion(n.Classes), channels: n.InC, size: n.Size,
		keep: max(1, min(maxMistakes, maxMistakeValues/(n.InC*n.Size*n.Size))),
	}
}

// add counts an image: its number, pixels, logits and label.
func (j *Judgement) add(i int, pixels, logits []float32, label int) {
	lse, answer := model.LogSumExp(logits), model.Argmax(logits)
	j.LogPx += lse
	j.Loss += lse - float64(logits[label])
	j.Confusion.Add(label, answer)
	confidence := math.Exp(float64(logits[answer]) - lse)
	j.seen = append(j.seen, metrics.Verdict{Confidence: confidence, Right: answer == label})
	if answer == label {
		j.Accuracy.Accuracy++
		return
	}
	m := Mistake{Image: i, Class: label, Answer: answer, Confidence: confidence}
	at, _ := slices.BinarySearchFunc(j.Mistakes, m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.Image, b.Image))
	})
	if at < j.keep {
		m.pixels = slices.Clone(pixels)
		j.Mistakes = slices.Insert(j.Mistakes, at, m)
		j.Mistakes = j.Mistakes[:min(len(j.Mistakes), j.keep)]
	}
}

// average turns the sums into means.
func (j *Judgement) average() {
	a, total := &j.Accuracy, float64(max(1, j.Images))
	a.Accuracy, a.Loss, a.LogPx = a.Accuracy/total, a.Loss/total, a.LogPx/total
	for _, v := range j.seen {
		a.Confidence += v.Confidence / total
	}
	a.ECE = metrics.ReliableOf(j.seen, ECEBins).ECE()
}

// maxRows is the number of rows that Draw draws.
const maxRows = 12

// Draw draws the worst mistakes, those of a class that were taken for the same other one in a row; nil
// without mistakes.
func (j *Judgement) Draw(classes []string) (image.Image, error) {
	rows := map[[2]int][]Mistake{}
	var order [][2]int
	for _, m := range j.Mistakes {
		pair := [2]int{m.Class, m.Answer}
		if rows[pair] == nil && len(order) < maxRows {
			order = append(order, pair)
		}
		if slices.Contains(order, pair) && len(rows[pair]) < columns {
			rows[pair] = append(rows[pair], m)
		}
	}
	if len(order) == 0 {
		return nil, nil
	}
	pixels := j.channels * j.size * j.size
	b := picture.Batch{N: len(order) * columns, C: j.channels, H: j.size, W: j.size}
	b.Pix, b.Blank = make([]float32, b.N*pixels), slices.Repeat([]bool{true}, b.N)
	var labels []string
	for row, pair := range order {
		labels = append(labels, classes[pair[0]]+" as "+classes[pair[1]])
		for column, m := range rows[pair] {
			place := row*columns + column
			copy(b.Pix[place*pixels:], m.pixels)
			b.Blank[place] = false
		}
	}
	return picture.Grid{Columns: columns, Labels: labels}.Draw(b)
}
