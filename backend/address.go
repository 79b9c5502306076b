package backend

// Addresser is what a device may offer besides Device: where its tensors lie, for other libraries that work on the same
// card beside it.
type Addresser interface {
	// Addressable reports whether the device was opened so that others can work on its tensors. Address needs it.
	Addressable() bool
	// Address tells where the elements of a Dense tensor lie in the card's memory, and the stream on which the device does
	// its work: what is done there so far has written them, and nothing later may be asked of the device that
	// uses them until the other library is through. Its error is the device's first one.
	Address(t Tensor) (stream, address uintptr, err error)
}
