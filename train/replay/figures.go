package replay

import (
	"encoding/json"
	"fmt"
	"strings"

	"jem/internal/metrics"
)

// detection knows the figures of two sets of scores.
func (r *record) detection() (computer, error) {
	var in, out []float64
	if err := json.Unmarshal(r.fields["in"], &in); err != nil {
		return nil, fmt.Errorf("in: %w", err)
	}
	if err := json.Unmarshal(r.fields["ood"], &out); err != nil {
		return nil, fmt.Errorf("ood: %w", err)
	}
	d, err := metrics.Detect(in, out)
	known := map[string]float64{
		"auroc": d.AUROC, "auroc_se": d.AUROCSE, "aupr_in": d.AUPRIn, "aupr_out": d.AUPROut,
		"fpr_at_95_tpr": d.FPR95, "fpr95": d.FPR95,
		"fpr_at_95_tpr_out": d.FPR95Out, "fpr95_out": d.FPR95Out,
	}
	return func(key string) ([]float64, error) {
		v, ok := known[key]
		if !ok {
			return nil, unknown(key)
		}
		return []float64{v}, nil
	}, err
}

// classification knows the figures of logits and labels.
func (r *record) classification() (computer, error) {
	logits, err := r.table("logits")
	if err != nil {
		return nil, err
	}
	var labels []int
	if err := json.Unmarshal(r.fields["labels"], &labels); err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	p, err := metrics.Softmax(logits)
	return func(key string) ([]float64, error) {
		v, err := classified(key, logits, p, labels)
		return []float64{v}, err
	}, err
}

func classified(key string, logits, p metrics.Table, labels []int) (float64, error) {
	switch key {
	case "accuracy":
		return metrics.Accuracy(logits, labels)
	case "nll":
		return metrics.NLL(logits, labels)
	case "brier":
		return metrics.Brier(p, labels)
	case "temperature":
		return metrics.Temperature(logits, labels)
	case "nll_at_temperature":
		t, err := metrics.Temperature(logits, labels)
		if err != nil {
			return 0, err
		}
		return metrics.NLLAt(logits, labels, t)
	}
	for _, kind := range []struct {
		prefix string
		bin    func(metrics.Table, []int, int) (metrics.Reliability, error)
		read   func(metrics.Reliability) float64
	}{
		{"ece", metrics.Reliable, metrics.Reliability.ECE},
		{"mce", metrics.Reliable, metrics.Reliability.MCE},
		{"ace", metrics.ReliableByMass, metrics.Reliability.ECE},
		{"adaptive_ece", metrics.ReliableByMass, metrics.Reliability.ECE},
	} {
		if bins, ok := numbered(key, kind.prefix); ok {
			diagram, err := kind.bin(p, labels, bins)
			return kind.read(diagram), err
		}
	}
	return 0, unknown(key)
}

// inception knows the scores of class probabilities, as mean and deviation.
func inception(p metrics.Table) computer {
	return func(key string) ([]float64, error) {
		splits, ok := numbered(key, "splits")
		if !ok {
			return nil, unknown(key)
		}
		average, deviation, err := metrics.InceptionScore(p, splits)
		return []float64{average, deviation}, err
	}
}

// distances knows the figures of two sets of features.
func (r *record) distances() (computer, error) {
	x, err := r.table("x")
	if err != nil {
		return nil, err
	}
	y, err := r.table("y")
	return func(key string) ([]float64, error) {
		var v float64
		var err error
		precision, isPrecision := numbered(key, "precision")
		recall, isRecall := numbered(key, "recall")
		switch {
		case key == "fid" || key == "frechet":
			v, err = metrics.FrechetDistance(x, y)
		case key == "kid" || strings.HasPrefix(key, "kid_unbiased_poly3"):
			v, err = metrics.KID(x, y)
		case isPrecision:
			v, _, err = metrics.PrecisionRecall(x, y, precision)
		case isRecall:
			_, v, err = metrics.PrecisionRecall(x, y, recall)
		default:
			err = unknown(key)
		}
		return []float64{v}, err
	}, err
}
