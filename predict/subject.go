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

// Subject describes the network, and that images carry noise of the given std.
func (p *Predictor) Subject(noise float32) Subject {
	return Subject{
		Checkpoint: p.Checkpoint, Step: p.Step, Weights: p.weights, EMA: p.Config.Optim.EMA > 0, Data: p.Config.Data.Name,
		Noise: noise, Device: p.dev.Name(), Precision: p.precision(), Seed: p.Config.Seed,
	}
}

// identify computes the hash that names the weights.
func (p *Predictor) identify() error {
	hash := sha256.New()
	for _, q := range append(p.parameters(), p.stats()...) {
		values := make([]float32, backend.Len(q.Value))
		if err := p.dev.Download(values, q.Value); err != nil {
			return fmt.Errorf("read %s: %w", q.Name, err)
		}
		if err := binary.Write(hash, binary.LittleEndian, values); err != nil {
			return err
		}
	}
	p.weights = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// precision is that of the device's convolutions, float32 unless it says otherwise.
func (p *Predictor) precision() string {
	if d, ok := p.dev.(interface{ Precision() string }); ok {
		return d.Precision()
	}
	return "float32"
}

// Noise is the std of the noise that the run adds at evaluation.
func (p *Predictor) Noise() float32 { return p.Config.Data.EvaluationNoise() }
