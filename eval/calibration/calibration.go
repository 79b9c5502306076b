package calibration

import (
	"fmt"

	"jem/internal/metrics"
	"jem/predict"
)

// Calibration says how far a network's confidence can be believed.
type Result struct {
	predict.Subject
	predict.Protocol
	Split    string       `json:"split"`
	Images   int          `json:"images"`
	Accuracy float64      `json:"accuracy"`
	NLL      float64      `json:"nll"`   // mean cross-entropy in nats
	Brier    float64      `json:"brier"` // summed over classes, in [0,2]
	Bins     []BinErrors  `json:"bins"`
	Scaled   *Temperature `json:"temperature,omitempty"`

	Reliability metrics.Reliability `json:"reliability"` // metrics.Bins bins, (lo,hi], of the largest p(y|x)
}

// BinErrors are calibration errors for one number of bins.
type BinErrors struct {
	Bins     int     `json:"bins"`
	ECE      float64 `json:"ece"`
	MCE      float64 `json:"mce"`
	Adaptive float64 `json:"adaptive_ece"` // bins of equal count
}

// Temperature is the calibration after dividing the logits by a number fitted on the
// images that the run held out.
type Temperature struct {
	T         float64     `json:"t"`
	FittedOn  string      `json:"fitted_on"`
	FitImages int         `json:"fit_images"`
	FitData   string      `json:"fit_data_sha256"`
	NLL       float64     `json:"nll"`
	Brier     float64     `json:"brier"`
	Bins      []BinErrors `json:"bins"`
}

const calibrationProtocol = "confidence is the largest softmax probability; bins (lo,hi], of equal width or, adaptive, of equal count; the temperature minimises the NLL of the held-out images"

// binCounts are those that papers use; the largest is JEM's.
var binCounts = [...]int{10, 15, metrics.Bins}

// Calibrate measures the calibration on a split's outputs. Valid are outputs on held-out
// images, nil for no temperature. Notes are sentences for the user.
func Calibrate(p *predict.Predictor, split string, noise float32, on, valid *predict.Outputs) (Result, []string, error) {
	var err error
	c := Result{Subject: p.Subject(noise), Split: split, Images: len(on.Labels), Protocol: predict.Protocol{Text: calibrationProtocol, DataHash: on.Digest, Samples: len(on.Labels)}}
	if c.Accuracy, err = metrics.Accuracy(on.Logits, on.Labels); err != nil {
		return c, nil, err
	}
	at := func(t float64) (Temperature, error) { return calibrated(on, t) }
	plain, err := at(1)
	if err != nil {
		return c, nil, err
	}
	c.NLL, c.Brier, c.Bins = plain.NLL, plain.Brier, plain.Bins
	probabilities, err := metrics.Softmax(on.Logits)
	if err != nil {
		return c, nil, err
	}
	if c.Reliability, err = metrics.Reliable(probabilities, on.Labels, metrics.Bins); err != nil {
		return c, nil, err
	}
	if valid == nil {
		return c, []string{"no temperature: the run held out no validation images"}, nil
	}
	t, err := metrics.Temperature(valid.Logits, valid.Labels)
	if err != nil {
		return c, []string{fmt.Sprintf("no temperature: %v", err)}, nil
	}
	scaled, err := at(t)
	scaled.FittedOn, scaled.FitImages, scaled.FitData = "valid", len(valid.Labels), valid.Digest
	c.Scaled = &scaled
	return c, nil, err
}

// calibrated measures logits divided by t.
func calibrated(o *predict.Outputs, t float64) (Temperature, error) {
	logits := metrics.Table{N: o.Logits.N, K: o.Logits.K, Data: make([]float64, len(o.Logits.Data))}
	for i, v := range o.Logits.Data {
		logits.Data[i] = v / t
	}
	p, err := metrics.Softmax(logits)
	if err != nil {
		return Temperature{}, err
	}
	r := Temperature{T: t}
	if r.NLL, err = metrics.NLL(logits, o.Labels); err != nil {
		return r, err
	}
	if r.Brier, err = metrics.Brier(p, o.Labels); err != nil {
		return r, err
	}
	for _, n := range binCounts {
		width, err := metrics.Reliable(p, o.Labels, n)
		if err != nil {
			return r, err
		}
		mass, err := metrics.ReliableByMass(p, o.Labels, n)
		if err != nil {
			return r, err
		}
		r.Bins = append(r.Bins, BinErrors{n, width.ECE(), width.MCE(), mass.ECE()})
	}
	return r, nil
}
