package comm

// SetupError says that the job is not set up in a way in which it can run: wrong or contradictory variables
// of a launcher, an engine that is not there or not the launcher's. Starting it again as it is doesn't help.
type SetupError struct {
	Reason string // what is wrong, with names and values, and what to do
}

func (e *SetupError) Error() string { return e.Reason }
