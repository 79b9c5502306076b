package cuda

import "fmt"

// Error is trouble with the card, as opposed to a caller's mistake. It sticks to the device.
type Error struct {
	Op     string // the verb that met it, or after which it showed
	Memory bool   // there was too little memory: nothing is broken, a smaller batch may fit
	Err    error  // the driver's or cuDNN's call and words
}

func (e *Error) Error() string { return fmt.Sprintf("cuda: %s: %v", e.Op, e.Err) }

// Unwrap returns the library's error.
func (e *Error) Unwrap() error { return e.Err }
