package experiments

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Claim is something that the paper says, with what our figures say to it.
type Claim struct {
	Text    string `json:"text"`
	Against string `json:"against,omitempty"` // the rival, where one claim is held against several
	Verdict string `json:"verdict"`
	Figures string `json:"figures,omitempty"`
}

// sentence is the claim with its rival.
func (c Claim) sentence() string {
	if c.Against == "" {
		return c.Text
	}
	return c.Text + " than " + c.Against
}

// The verdicts.
const (
	shows       = "shows"
	doesNotShow = "does not show"
	tooClose    = "too close to tell"
	notMeasured = "not measured"
)

// howVerdictsAreMade stands on every page with claims.
const howVerdictsAreMade = "± is the standard error of a claim's difference: from the number of test images and, where there are several seeds, from their spread; a difference below two of them is too close to tell. " +
	"It counts both figures as if measured on images of their own, which is cautious; of one seed it says nothing about others, and two tell little. ECE is counted as uncertain as an accuracy."

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
	if e := math.Hypot(a.uncertainty(), b.uncertainty()); e > 0 {
		c.Figures += fmt.Sprintf(" ± "+format, e)
		if math.Abs(*a.Ours-*b.Ours) < 2*e {
			c.Verdict = tooClose
		}
	}
	return c
}

// uncertainty is a figure's standard error: for want of more images, and for want of more seeds.
func (c Cell) uncertainty() float64 {
	return math.Hypot(c.Error, c.Spread/math.Sqrt(float64(max(1, c.Seeds))))
}

// times is a figure multiplied by a number.
func times(c Cell, by float64) Cell {
	if c.Ours == nil {
		return c
	}
	v := *c.Ours * by
	c.Ours, c.Error, c.Spread = &v, c.Error*math.Abs(by), c.Spread*math.Abs(by)
	return c
}

// gap is a − b as a figure, with their errors; empty where one is missing.
func gap(a, b Cell) Cell {
	if a.Ours == nil || b.Ours == nil {
		return Cell{}
	}
	d := *a.Ours - *b.Ours
	return Cell{Ours: &d, Error: math.Hypot(a.uncertainty(), b.uncertainty())}
}

// given is a figure that nobody measured.
func given(v float64) Cell { return Cell{Ours: &v} }

// against are the claims that are held against rivals, as rows of text, the head first: one row a claim,
// one column a rival. Empty where there are none.
func against(claims []Claim) (rows [][]string) {
	head := []string{"claim"}
	at := map[string]int{} // rows
	for _, c := range claims {
		if c.Against != "" && !slices.Contains(head, c.Against) {
			head = append(head, c.Against)
		}
	}
	if len(head) == 1 {
		return nil
	}
	rows = [][]string{head}
	for _, c := range claims {
		if c.Against == "" {
			continue
		}
		if at[c.Text] == 0 {
			at[c.Text] = len(rows)
			row := make([]string, len(head))
			for i := range row {
				row[i] = "–"
			}
			row[0] = c.Text + " than …"
			rows = append(rows, row)
		}
		rows[at[c.Text]][slices.Index(head, c.Against)] = strings.TrimSpace(c.Verdict + " " + bracketed(c.Figures))
	}
	return rows
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// alone are the claims that are held against no rival.
func alone(claims []Claim) []Claim {
	return slices.DeleteFunc(slices.Clone(claims), func(c Claim) bool { return c.Against != "" })
}
