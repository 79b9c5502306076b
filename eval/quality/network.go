package quality

import "jem/eval/inception"

// Network gives the features of images.
type Network interface {
	About() About
	// Run answers to images (n,C,size,size) in [−1,1] with features (n,About().Features) and
	// logits (n,K). The slices are valid until the next Run.
	Run(images []float32) (features, logits []float32, err error)
}

// About says which features they are, so that figures can be compared.
type About struct {
	Name      string `json:"network"`
	Weights   string `json:"weights_sha256"`
	Published bool   `json:"published_weights"` // those that FID is defined by
	Mode      string `json:"mode,omitempty"`    // how images are brought to it, see inception.Mode
	Device    string `json:"device"`
	Features  int    `json:"features"`
}

// Inception is the network that FID is defined by, for images of C×size×size.
type Inception struct {
	*inception.Network
	Device  string // its name
	C, Size int
}

// About implements Network.
func (n Inception) About() About {
	w := n.Weights
	return About{Name: "Inception-v3 of 2015", Weights: w.SHA256, Published: w.IsPublished(), Mode: string(n.Mode), Device: n.Device, Features: inception.Features}
}

// Run implements Network.
func (n Inception) Run(images []float32) (features, logits []float32, err error) {
	a, err := n.Network.Run(images, n.C, n.Size)
	return a.Features, a.Logits, err
}
