package metrics

import (
	"errors"
	"fmt"
	"math"
)

// ErrInput marks input for which a figure is not defined.
var ErrInput = errors.New("no such figure")

// inputf is an error about input.
func inputf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInput, fmt.Sprintf(format, args...))
}

// Table is N rows of K numbers, row-major: logits, probabilities or features, one row an
// image. Make one with Rows or Flat, which check it.
type Table struct {
	N, K int
	Data []float64 // N·K
}

// Rows copies rows of one length.
func Rows(rows [][]float64) (Table, error) {
	if len(rows) == 0 {
		return Table{}, inputf("no rows")
	}
	t := Table{N: len(rows), K: len(rows[0])}
	for i, r := range rows {
		if len(r) != t.K {
			return Table{}, inputf("row %d has %d numbers, row 0 has %d", i, len(r), t.K)
		}
		t.Data = append(t.Data, r...)
	}
	return t, t.check()
}

// Flat copies rows of k numbers, as devices give them.
func Flat(k int, values []float32) (Table, error) {
	if k < 1 || len(values)%k != 0 {
		return Table{}, inputf("%d numbers are no rows of %d", len(values), k)
	}
	t := Table{N: len(values) / k, K: k, Data: make([]float64, len(values))}
	for i, v := range values {
		t.Data[i] = float64(v)
	}
	return t, t.check()
}

// Row returns row i without copying.
func (t Table) Row(i int) []float64 { return t.Data[i*t.K : (i+1)*t.K : (i+1)*t.K] }

// check holds what every table must fulfil.
func (t Table) check() error {
	if t.N < 1 || t.K < 1 || len(t.Data) != t.N*t.K {
		return inputf("%d numbers in %d rows of %d", len(t.Data), t.N, t.K)
	}
	for i, v := range t.Data {
		if !finite(v) {
			return inputf("row %d, column %d is %v", i/t.K, i%t.K, v)
		}
	}
	return nil
}

// labelled checks a table and one label in [0,K) a row.
func (t Table) labelled(labels []int) error {
	if err := t.check(); err != nil {
		return err
	}
	if len(labels) != t.N {
		return inputf("%d labels for %d rows", len(labels), t.N)
	}
	for i, y := range labels {
		if y < 0 || y >= t.K {
			return inputf("label %d is %d, want 0 to %d", i, y, t.K-1)
		}
	}
	return nil
}

// probabilities checks that rows are distributions. The sum may be off by what float32
// arithmetic leaves.
func (t Table) probabilities() error {
	const slack = 1e-3
	if err := t.check(); err != nil {
		return err
	}
	for i := range t.N {
		sum := 0.0
		for k, p := range t.Row(i) {
			if p < 0 || p > 1+slack {
				return inputf("row %d, column %d is %g, want a probability", i, k, p)
			}
			sum += p
		}
		if math.Abs(sum-1) > slack {
			return inputf("row %d sums to %g, want probabilities", i, sum)
		}
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// largest is the index of the first largest number.
func largest(row []float64) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
