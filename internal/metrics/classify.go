package metrics

import "math"

// Softmax returns p[n,k] = exp(logits[n,k]) / Σ_j exp(logits[n,j]).
func Softmax(logits Table) (Table, error) {
	if err := logits.check(); err != nil {
		return Table{}, err
	}
	p := Table{N: logits.N, K: logits.K, Data: make([]float64, len(logits.Data))}
	for n := range p.N {
		softmax(p.Row(n), logits.Row(n), 1)
	}
	return p, nil
}

// softmax writes the softmax of row·scale to dst.
func softmax(dst, row []float64, scale float64) {
	lse := logSumExp(row, scale)
	for k, v := range row {
		dst[k] = math.Exp(v*scale - lse)
	}
}

// logSumExp is log Σ exp(row·scale), scale ≥ 0, without overflow.
func logSumExp(row []float64, scale float64) float64 {
	top := row[largest(row)] * scale
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(v*scale - top)
	}
	return top + math.Log(sum)
}

// Accuracy is the share of rows whose largest entry, the first of equals, is the label's.
// Rows may be logits or probabilities.
func Accuracy(rows Table, labels []int) (float64, error) {
	if err := rows.labelled(labels); err != nil {
		return 0, err
	}
	right := 0
	for n, y := range labels {
		if largest(rows.Row(n)) == y {
			right++
		}
	}
	return float64(right) / float64(rows.N), nil
}

// NLL is the mean negative log-likelihood in nats, −mean log softmax(logits)[label], the
// cross-entropy of the network.
func NLL(logits Table, labels []int) (float64, error) { return NLLAt(logits, labels, 1) }

// NLLAt is the NLL of logits divided by a temperature > 0.
func NLLAt(logits Table, labels []int, temperature float64) (float64, error) {
	if err := logits.labelled(labels); err != nil {
		return 0, err
	}
	if !(temperature > 0) || !finite(1/temperature) {
		return 0, inputf("temperature %g, want above 0", temperature)
	}
	sum, scale := 0.0, 1/temperature
	for n, y := range labels {
		row := logits.Row(n)
		sum += logSumExp(row, scale) - row[y]*scale
	}
	return sum / float64(logits.N), nil
}

// NLLError is the standard error of NLL as a mean over images, in nats: their sample standard deviation over
// √n; NaN for a single image.
func NLLError(logits Table, labels []int) (float64, error) {
	mean, err := NLL(logits, labels)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for n, y := range labels {
		row := logits.Row(n)
		d := logSumExp(row, 1) - row[y] - mean
		sum += d * d
	}
	n := float64(logits.N)
	return math.Sqrt(sum / (n - 1) / n), nil
}

// Brier is the mean of Σ_k (p[k] − [k = label])², which lies in [0,2]: the sum over classes,
// not their mean.
func Brier(p Table, labels []int) (float64, error) {
	if err := p.labelled(labels); err != nil {
		return 0, err
	}
	if err := p.probabilities(); err != nil {
		return 0, err
	}
	sum := 0.0
	for n, y := range labels {
		for k, v := range p.Row(n) {
			if k == y {
				v--
			}
			sum += v * v
		}
	}
	return sum / float64(p.N), nil
}
