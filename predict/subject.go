package predict

// Subject says what a figure was measured on, so that it can be compared with others.
type Subject struct {
	Checkpoint string  `json:"checkpoint"`
	Step       int     `json:"step"`
	Weights    string  `json:"weights_sha256"` // of the parameters' little-endian float32, in the network's order
	EMA        bool    `json:"ema"`            // averaged weights
	Data       string  `json:"data"`
	Outliers   string  `json:"outliers,omitempty"` // other images that it has seen in training, outliers.name; "": none
	Noise      float32 `json:"noise"`              // std of the pixel noise that was added
	Device     string  `json:"device"`
	Precision  string  `json:"precision"`
	Seed       uint64  `json:"seed"` // of pixel noise and of splits
}

// Protocol says how a figure was measured, beside the Subject that it was measured on.
type Protocol struct {
	Text     string `json:"protocol"`
	DataHash string `json:"data_sha256"` // of the images as the network took them and their labels, see Outputs.Digest
	Samples  int    `json:"samples"`     // images, or chains
}
