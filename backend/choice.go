package backend

// Chooser is what a device may offer besides Device when its plans choose among algorithms
// that differ in the last bits of their results: what was chosen can be read, kept and
// asked for again. Where several processes share one run, all take the choices of one.
type Chooser interface {
	// Choices lists what the plans made so far have chosen: from what was planned, in the
	// device's words ("conv 64to64 32x32 k3 s2 p1 n192, forward"), to the algorithm
	// ("direct-avx512"). The caller owns the map.
	Choices() map[string]string
	// UseChoices makes plans follow a list from now on. A plan that isn't in it, or whose
	// algorithm is none that this device can use there, chooses as ever: a caller that must
	// have what it asked for compares Choices afterwards.
	UseChoices(choices map[string]string)
}

// Choices are those of a device; nil where it makes none.
func Choices(d Device) map[string]string {
	if c, ok := d.(Chooser); ok {
		return c.Choices()
	}
	return nil
}

// ChoiceMemo keeps what a device has measured for its plans, so that the next process on this
// machine need not measure again. Whoever opens a device hands it one. It is a convenience:
// what it recalls may be missing, or nonsense, which devices ignore.
type ChoiceMemo interface {
	// Recall returns the algorithm kept for a plan; "" for none.
	Recall(plan string) string
	// Keep keeps one.
	Keep(plan, algorithm string)
}
