package predict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Breakdown is an accuracy by class, with names.
type Breakdown struct {
	PerClass  []ClassAccuracy `json:"per_class"`           // in the order of the classes
	Confusion [][]int         `json:"confusion,omitempty"` // images of the row's class that were taken for the column's; up to MatrixClasses classes
	Mixups    []Mixup         `json:"mixups"`              // what was taken for what, the most frequent first
	Mistakes  []NamedMistake  `json:"mistakes"`            // the surest first
}

// ClassAccuracy is the accuracy on the images of one class.
type ClassAccuracy struct {
	Class    string  `json:"class"`
	Images   int     `json:"images"`
	Right    int     `json:"right"`
	Accuracy float64 `json:"accuracy"` // share in [0,1]; 0 without images
}

// Mixup is how many images of a class were taken for another.
type Mixup struct {
	Class  string `json:"class"`
	Answer string `json:"answer"`
	Images int    `json:"images"`
}

// NamedMistake is a Mistake with the names of its classes.
type NamedMistake struct {
	Image      int     `json:"image"` // its number in the set, from 0
	Class      string  `json:"class"`
	Answer     string  `json:"answer"`
	Confidence float64 `json:"confidence"`
}

// MatrixClasses is the largest number of classes of which the whole matrix is given: of more, nobody
// could read it. maxMixups bounds the list of what was taken for what, which the matrix has whole.
const (
	MatrixClasses = 100
	maxMixups     = 1000
)

// Breakdown names the classes.
func (j *Judgement) Breakdown(classes []string) Breakdown {
	c := j.Confusion
	b := Breakdown{Mixups: []Mixup{}, Mistakes: []NamedMistake{}}
	for y, name := range classes {
		b.PerClass = append(b.PerClass, ClassAccuracy{name, c.Of[y], c.Right[y], float64(c.Right[y]) / float64(max(1, c.Of[y]))})
	}
	if k := len(classes); k <= MatrixClasses {
		for y := range k {
			row := make([]int, k)
			for answer := range row {
				row[answer] = c.Images(y, answer)
			}
			b.Confusion = append(b.Confusion, row)
		}
	}
	for _, m := range c.Mixups() {
		if len(b.Mixups) < maxMixups {
			b.Mixups = append(b.Mixups, Mixup{classes[m.Class], classes[m.Answer], m.Images})
		}
	}
	for _, m := range j.Mistakes {
		b.Mistakes = append(b.Mistakes, NamedMistake{m.Image, classes[m.Class], classes[m.Answer], m.Confidence})
	}
	return b
}

// Worst lists at most n of the classes that have images, those with the lowest accuracy first; in the
// order of the classes where there are no more. of is how many classes have images.
func (b Breakdown) Worst(n int) (worst []ClassAccuracy, of int) {
	all := slices.DeleteFunc(slices.Clone(b.PerClass), func(c ClassAccuracy) bool { return c.Images == 0 })
	of = len(all)
	if of > n {
		slices.SortStableFunc(all, func(a, b ClassAccuracy) int { return cmp.Compare(a.Accuracy, b.Accuracy) })
		all = all[:n]
	}
	return all, of
}

// Mixed says what images of a class were taken for, the most frequent first, at most n: "dots 2, ring 1".
func (b Breakdown) Mixed(class string, n int) string {
	var all []string
	for _, m := range b.takenFor(class) {
		if len(all) < n {
			all = append(all, fmt.Sprintf("%s %d", m.Answer, m.Images))
		}
	}
	return strings.Join(all, ", ")
}

// takenFor lists the mix-ups of a class, the most frequent first: all of them where there is a matrix.
func (b Breakdown) takenFor(class string) (all []Mixup) {
	y := slices.IndexFunc(b.PerClass, func(c ClassAccuracy) bool { return c.Class == class })
	if y < 0 || y >= len(b.Confusion) || len(b.Confusion[y]) != len(b.PerClass) {
		return slices.DeleteFunc(slices.Clone(b.Mixups), func(m Mixup) bool { return m.Class != class })
	}
	for answer, n := range b.Confusion[y] {
		if n > 0 && answer != y {
			all = append(all, Mixup{class, b.PerClass[answer].Class, n})
		}
	}
	slices.SortStableFunc(all, func(a, b Mixup) int { return b.Images - a.Images })
	return all
}
