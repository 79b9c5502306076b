package predict

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"jem/backend"
)

// Subject says what a figure was measured on, so that it can be compared with others.
type Subject struct {
	Checkpoint string  `json:"checkpoint"`
	Step       int     `json:"step"`
	Weights    string  `json:"weights_sha256"` // of the parameters' little-endian float32, in the network's order
	EMA        bool    `json:"ema"`            // averaged weights
	Data       string  `json:"data"`
	Noise      float32 `json:"noise"` // std of the pixel noise that was added
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

// Subject describes the network and what is done to images.
func (p *Predictor) Subject() (Subject, error) {
	s := Subject{
		Checkpoint: p.Checkpoint, Step: p.Step, EMA: p.Config.Optim.EMA > 0, Data: p.Config.Data.Name,
		Noise: p.Noise(), Device: p.dev.Name(), Precision: p.precision(), Seed: p.Config.Seed,
	}
	hash := sha256.New()
	for _, q := range append(p.parameters(), p.stats()...) {
		values := make([]float32, backend.Len(q.Value))
		if err := p.dev.Download(values, q.Value); err != nil {
			return s, fmt.Errorf("read %s: %w", q.Name, err)
		}
		if err := binary.Write(hash, binary.LittleEndian, values); err != nil {
			return s, err
		}
	}
	s.Weights = hex.EncodeToString(hash.Sum(nil))
	return s, nil
}

// precision is that of the device's convolutions, float32 unless it says otherwise.
func (p *Predictor) precision() string {
	if d, ok := p.dev.(interface{ Precision() string }); ok {
		return d.Precision()
	}
	return "float32"
}

// Noise is the std of the noise at evaluation.
func (p *Predictor) Noise() float32 {
	if p.Config.Data.EvalNoise {
		return p.Config.Data.Noise
	}
	return 0
}
