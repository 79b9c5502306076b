package replay

import "slices"

// Outcome is how the replay of a step came out.
type Outcome struct {
	Step   string       `json:"step"` // its name
	Groups []Comparison `json:"groups"`
	Kinks
}

// Kinks counts the LeakyReLU units that the replay took on the other side of zero than its
// own rounding had put them: their derivative, 1 or the slope, is the recording's choice
// as much as the replay's (docs/numerics.md). The zero value: none.
type Kinks struct {
	Flipped int     `json:"kinks_flipped"`
	Max     float64 `json:"kink_max"`   // the largest |pre-activation| of a flipped unit
	Bound   float64 `json:"kink_bound"` // that unit's rounding, which Max is at most
}

// OK reports whether every group is within its tolerance.
func (o Outcome) OK() bool {
	return !slices.ContainsFunc(o.Groups, func(c Comparison) bool { return !c.OK })
}
