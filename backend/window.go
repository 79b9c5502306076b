package backend

// Windower is what a device may offer beyond Device, for networks other than the model's own
// (eval/inception): pooling over windows. A device that has it also plans convolutions
// whose kernel isn't square.
type Windower interface {
	// MaxPool: y[n,c,h,w] is the largest x[n,c] in the window's part inside the image.
	// y Image (N,C,Out(H),Out(W)), x Image (N,C,H,W).
	MaxPool(y, x Tensor, w Window)
	// MeanPool is MaxPool with the mean: pixels outside the image don't count.
	MeanPool(y, x Tensor, w Window)
}

// Window is a square that moves over an image.
type Window struct {
	Size   int
	Stride int
	Pad    int // how far it may reach beyond the image; less than Size
}

// Out is the height (width) of the output for an image so high (wide).
func (w Window) Out(size int) int { return (size+2*w.Pad-w.Size)/w.Stride + 1 }

// Fits reports whether the window can move over an image: it always covers a part of it.
func (w Window) Fits(height, width int) bool {
	return w.Size >= 1 && w.Stride >= 1 && w.Pad >= 0 && w.Pad < w.Size && min(height, width)+2*w.Pad >= w.Size
}
