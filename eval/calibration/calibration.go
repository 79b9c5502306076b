package calibration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"jem/feed"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/predict"
)

// Options say what calibration is measured on.
type Options struct {
	Split         string       // one of feed.Splits; "": as feed.Source chooses
	Limit         int          // only the first so many images of it, and of the held-out ones; 0: all
	Noise         float32      // std of the pixel noise of both; 0: none
	Edge          metrics.Edge // bin of a confidence where two of equal width meet; "": the one below
	NoTemperature bool         // fit none: the held-out images are not read
}

// Result says how far a network's confidence can be believed.
type Result struct {
	ProperScores
	Bins   []BinErrors  `json:"bins"`
	Scaled *Temperature `json:"temperature,omitempty"`

	Edge        metrics.Edge        `json:"on_edge"`     // where a confidence between two bins of equal width belongs
	Reliability metrics.Reliability `json:"reliability"` // metrics.Bins bins of the largest p(y|x)
	Notes       []string            `json:"-"`           // sentences for the user, there after an error, too
}

// ProperScores are the figures that no choice of bins takes part in.
type ProperScores struct {
	predict.Subject
	predict.Protocol
	Split    string  `json:"split"`
	Images   int     `json:"images"`
	Accuracy float64 `json:"accuracy"`
	NLL      float64 `json:"nll"`   // mean cross-entropy in nats
	Brier    float64 `json:"brier"` // summed over classes, in [0,2]
	// NLLError is the NLL's standard error from the number of images; 0: not known.
	NLLError float64 `json:"nll_standard_error,omitempty"`
	// Confidence is the mean of the largest p(y|x): above the accuracy, the network is overconfident.
	Confidence float64 `json:"mean_confidence"`
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
	T          float64     `json:"t"`
	FittedOn   string      `json:"fitted_on"`
	FitImages  int         `json:"fit_images"`
	FitData    string      `json:"fit_data_sha256"`
	NLL        float64     `json:"nll"`
	NLLError   float64     `json:"nll_standard_error,omitempty"`
	Brier      float64     `json:"brier"`
	Confidence float64     `json:"mean_confidence"`
	Bins       []BinErrors `json:"bins"`
}

const properProtocol = "proper scores of the softmax probabilities"

// protocol says in words what the figures are.
func protocol(edge metrics.Edge) string {
	bins := "bins (lo,hi], of equal width or, adaptive, of equal count"
	if edge == metrics.Above {
		bins = "bins [lo,hi) of equal width, or (lo,hi], adaptive, of equal count"
	}
	return "confidence is the largest softmax probability; " + bins + "; the temperature minimises the NLL of the held-out images"
}

// binCounts are those that papers use; the largest is JEM's.
var binCounts = [...]int{10, 15, metrics.Bins}

// Measure measures the calibration on a split, before and after a temperature that is fitted
// on the images that the run held out, if it did, until ctx ends.
func Measure(ctx context.Context, p *predict.Predictor, o Options, watch predict.Watch) (r Result, err error) {
	r.Subject, r.Edge = p.Subject(o.Noise), cmp.Or(o.Edge, metrics.Below)
	on, err := r.answers(ctx, p, o.Split, o, watch)
	if err != nil {
		return r, err
	}
	if err := r.judge(on); err != nil || o.NoTemperature {
		return r, err
	}
	held, err := r.answers(ctx, p, "valid", o, watch)
	if errors.Is(err, fault.ErrMissing) {
		r.Notes = append(r.Notes, "no temperature: the run held out no validation images")
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return r, r.scale(on, held)
}

// scale fits a temperature to the answers on the held-out images and judges the others with it.
func (r *Result) scale(on, held *predict.Outputs) error {
	t, err := metrics.Temperature(held.Logits, held.Labels)
	if err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("no temperature: %v", err))
		return nil
	}
	scaled, err := at(t, on, r.Edge)
	if held.Digest == on.Digest || r.Split == "all" {
		r.Notes = append(r.Notes, "the temperature is fitted on images that it is judged on: after it the calibration looks better than it is")
	}
	scaled.FittedOn, scaled.FitImages, scaled.FitData = "valid", len(held.Labels), held.Digest
	r.Scaled = &scaled
	return err
}

// Proper are the proper scores alone.
func (r Result) Proper() ProperScores {
	s := r.ProperScores
	s.Text = properProtocol
	return s
}

// answers runs a split through the network.
func (r *Result) answers(ctx context.Context, p *predict.Predictor, split string, o Options, watch predict.Watch) (*predict.Outputs, error) {
	images, notes, err := p.Source().Images(split, o.Noise)
	for _, n := range notes {
		if !slices.Contains(r.Notes, n) { // of files that both splits are read from
			r.Notes = append(r.Notes, n)
		}
	}
	if err != nil {
		return nil, err
	}
	r.Split = cmp.Or(r.Split, images.Split)
	return p.Gather(ctx, images.Split, feed.Head(images.Images, o.Limit), predict.Want{}, watch)
}

// judge fills in what a network's answers say as they are.
func (r *Result) judge(on *predict.Outputs) (err error) {
	r.Images, r.Protocol = len(on.Labels), predict.Protocol{Text: protocol(r.Edge), DataHash: on.Digest, Samples: len(on.Labels)}
	if r.Accuracy, err = metrics.Accuracy(on.Logits, on.Labels); err != nil {
		return err
	}
	plain, err := at(1, on, r.Edge)
	if err != nil {
		return err
	}
	r.NLL, r.NLLError, r.Brier, r.Confidence, r.Bins = plain.NLL, plain.NLLError, plain.Brier, plain.Confidence, plain.Bins
	probabilities, err := metrics.Softmax(on.Logits)
	if err != nil {
		return err
	}
	r.Reliability, err = metrics.ReliableOn(probabilities, on.Labels, metrics.Bins, r.Edge)
	return err
}

// at measures logits divided by t.
func at(t float64, on *predict.Outputs, edge metrics.Edge) (Temperature, error) {
	logits := metrics.Table{N: on.Logits.N, K: on.Logits.K, Data: make([]float64, len(on.Logits.Data))}
	for i, v := range on.Logits.Data {
		logits.Data[i] = v / t
	}
	p, err := metrics.Softmax(logits)
	if err != nil {
		return Temperature{}, err
	}
	r := Temperature{T: t}
	if r.NLL, err = metrics.NLL(logits, on.Labels); err != nil {
		return r, err
	}
	if logits.N > 1 {
		if r.NLLError, err = metrics.NLLError(logits, on.Labels); err != nil {
			return r, err
		}
	}
	if r.Brier, err = metrics.Brier(p, on.Labels); err != nil {
		return r, err
	}
	r.Confidence = confidence(p)
	for _, n := range binCounts {
		width, err := metrics.ReliableOn(p, on.Labels, n, edge)
		if err != nil {
			return r, err
		}
		mass, err := metrics.ReliableByMass(p, on.Labels, n)
		if err != nil {
			return r, err
		}
		r.Bins = append(r.Bins, BinErrors{n, width.ECE(), width.MCE(), mass.ECE()})
	}
	return r, nil
}

// confidence is the mean of the largest probability.
func confidence(p metrics.Table) float64 {
	sum := 0.0
	for i := range p.N {
		sum += slices.Max(p.Row(i))
	}
	return sum / float64(p.N)
}
