package experiments

import "fmt"

// Claim is something that the paper says, with what our figures say to it.
type Claim struct {
	Text    string `json:"text"`
	Verdict string `json:"verdict"` // shows, does not show, not measured
	Figures string `json:"figures,omitempty"`
}

// The verdicts.
const (
	shows       = "shows"
	doesNotShow = "does not show"
	notMeasured = "not measured"
)

// less claims that a is below b.
func less(text string, a, b *float64, format string) Claim {
	return compare(text, a, b, format, func(a, b float64) bool { return a < b })
}

// more claims that a is above b.
func more(text string, a, b *float64, format string) Claim {
	return compare(text, a, b, format, func(a, b float64) bool { return a > b })
}

func compare(text string, a, b *float64, format string, holds func(a, b float64) bool) Claim {
	if a == nil || b == nil {
		return Claim{Text: text, Verdict: notMeasured}
	}
	c := Claim{Text: text, Verdict: shows}
	if !holds(*a, *b) {
		c.Verdict = doesNotShow
	}
	c.Figures = fmt.Sprintf(format+" against "+format, *a, *b)
	return c
}
