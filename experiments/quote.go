package experiments

// Quote is a number of the paper, with where it was found. Those recalled have to be
// checked against the paper before they are quoted as its own.
type Quote struct {
	Value     float64 `json:"value"`
	Source    string  `json:"source"`
	Certainty string  `json:"certainty"` // printed, second-hand, recalled (high, medium, low)
}

// The sources that quotes come from.
const (
	sourceFigure    = "figure files of the published code"
	sourceDDPM      = "a later paper's comparison table (DDPM)"
	sourceCopies    = "several independent copies"
	sourceOthers    = "aggregated results of follow-up papers"
	sourceMemory    = "memory"
	certainPrinted  = "printed"
	certainSecond   = "second-hand"
	certainHigh     = "recalled, high confidence, unverified"
	certainMedium   = "recalled, medium confidence, unverified"
	certainLow      = "recalled, low confidence, unverified"
	quotesAreUnread = "The paper's numbers are quoted with their certainty (CSV and JSON name it for each): most are recalled or second-hand and have to be checked against the paper."
)

func printed(v float64) Quote           { return Quote{v, sourceFigure, certainPrinted} }
func second(v float64, by string) Quote { return Quote{v, by, certainSecond} }
func recalled(v float64) Quote          { return Quote{v, sourceMemory, certainHigh} }
func recalledSomewhat(v float64) Quote  { return Quote{v, sourceMemory, certainMedium} }
func recalledBarely(v float64) Quote    { return Quote{v, sourceMemory, certainLow} }

// quoteRow is the paper's numbers of one row, by column key.
type quoteRow map[string]Quote
