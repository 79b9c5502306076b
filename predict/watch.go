package predict

// Watch hears how far something long has come: done of total, of what about names. It may be
// nil.
type Watch func(about string, done, total int)

// Tell tells it.
func (w Watch) Tell(about string, done, total int) {
	if w != nil {
		w(about, done, total)
	}
}

// Of tells of n more of total each time it is called.
func (w Watch) Of(about string, total int) func(n int) {
	done := 0
	return func(n int) {
		done += n
		w.Tell(about, done, total)
	}
}
