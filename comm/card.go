package comm

// CardSummer is what an engine may offer besides Comm: sums of what lies on the ranks' cards, without the host.
type CardSummer interface {
	// SumOn starts to add up n float32 of each rank, in place, from an address of its card's memory on, after all work
	// that the card's stream has so far. Every rank gets the same bits, and the same ones again for as many ranks on the
	// same machines; the order of the sum is the engine's own. The memory is the engine's until Wait.
	SumOn(stream, address uintptr, n int) Pending
}
