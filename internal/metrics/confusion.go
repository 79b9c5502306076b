package metrics

import (
	"cmp"
	"slices"
)

// Confusion counts a classifier's answers by class. It takes memory for what occurs only, so that
// thousands of classes cost nothing.
type Confusion struct {
	Of    []int // images by class, (K)
	Right []int // of these, those answered by their class, (K)
	wrong map[[2]int]int
}

// Mixup is how often images of one class were taken for another.
type Mixup struct{ Class, Answer, Images int }

// NewConfusion has counted nothing of k classes yet.
func NewConfusion(k int) *Confusion {
	return &Confusion{Of: make([]int, k), Right: make([]int, k), wrong: map[[2]int]int{}}
}

// Add counts the answer to an image of a class. Both lie in [0,K).
func (c *Confusion) Add(class, answer int) {
	c.Of[class]++
	if class == answer {
		c.Right[class]++
	} else {
		c.wrong[[2]int{class, answer}]++
	}
}

// Images is how many images of a class were taken for an answer.
func (c *Confusion) Images(class, answer int) int {
	if class == answer {
		return c.Right[class]
	}
	return c.wrong[[2]int{class, answer}]
}

// Mixups lists what was taken for what, the most frequent first, of equals in the order of the classes.
func (c *Confusion) Mixups() []Mixup {
	var all []Mixup
	for pair, n := range c.wrong {
		all = append(all, Mixup{pair[0], pair[1], n})
	}
	slices.SortFunc(all, func(a, b Mixup) int {
		return cmp.Or(b.Images-a.Images, a.Class-b.Class, a.Answer-b.Answer)
	})
	return all
}
