package step

// At says which step is taken.
type At struct {
	Step   int    // steps taken before it
	Reseed uint64 // rollbacks before it: each has random numbers of its own
	Stop   bool   // this rank wants to stop after it
}

// draw is the step under which random numbers are drawn and data are taken: after a rollback
// one that no run comes to, so that everything random is new and still a function of the
// step.
func (a At) draw() int { return a.Step + int(a.Reseed)<<reseedShift }

// reseedShift leaves 2²⁴ steps to each of 2⁸ reseeds: keys have 32 bits for the step.
const reseedShift = 24
