package backend

import "time"

// ConvTimer is what a device may offer besides Device: it tells how long it has spent in
// convolutions.
type ConvTimer interface {
	// Convolving is the time since the device was opened, all threads' together divided by their
	// number.
	Convolving() time.Duration
}
