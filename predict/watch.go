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
