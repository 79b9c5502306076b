package experiments

import (
	"fmt"
	"math"
)

// Claim is something that the paper says, with what our figures say to it.
type Claim struct {
	Text    string `json:"text"`
	Verdict string `json:"verdict"`
	Figures string `json:"figures,omitempty"`
}

// The verdicts.
const (
	shows       = "shows"
	doesNotShow = "does not show"
	tooClose    = "too close to tell"
	notMeasured = "not measured"
)

// howVerdictsAreMade stands on every page with claims.
const howVerdictsAreMade = "± is the standard error of a claim's difference from the number of test images alone; a difference below two of them is too close to tell. " +
	"It counts both figures as if measured on images of their own, which is cautious, and says nothing of other seeds."

// less claims that a is below b.
func less(text string, a, b Cell, format string) Claim {
	return compare(text, a, b, format, func(a, b float64) bool { return a < b })
}

// more claims that a is above b.
func more(text string, a, b Cell, format string) Claim {
	return compare(text, a, b, format, func(a, b float64) bool { return a > b })
}

func compare(text string, a, b Cell, format string, holds func(a, b float64) bool) Claim {
	if a.Ours == nil || b.Ours == nil {
		return Claim{Text: text, Verdict: notMeasured}
	}
	c := Claim{Text: text, Verdict: doesNotShow, Figures: fmt.Sprintf(format+" against "+format, *a.Ours, *b.Ours)}
	if holds(*a.Ours, *b.Ours) {
		c.Verdict = shows
	}
	if e := math.Hypot(a.Error, b.Error); e > 0 {
		c.Figures += fmt.Sprintf(" ± "+format, e)
		if math.Abs(*a.Ours-*b.Ours) < 2*e {
			c.Verdict = tooClose
		}
	}
	return c
}

// gap is a − b as a figure, with their errors; empty where one is missing.
func gap(a, b Cell) Cell {
	if a.Ours == nil || b.Ours == nil {
		return Cell{}
	}
	d := *a.Ours - *b.Ours
	return Cell{Ours: &d, Error: math.Hypot(a.Error, b.Error)}
}

// given is a figure that nobody measured.
func given(v float64) Cell { return Cell{Ours: &v} }
