package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// ticks labels an axis at four to nine round numbers: 1, 2 or 5 times a power of ten apart.
type ticks struct{}

// Ticks implements plot.Ticker.
func (ticks) Ticks(lo, hi float64) (all []plot.Tick) {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/4)))
	for _, f := range []float64{5, 2} {
		if (hi-lo)/(step*f) >= 4 {
			step *= f
			break
		}
	}
	label := labels(max(math.Abs(lo), math.Abs(hi)), step)
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		all = append(all, plot.Tick{Value: i * step, Label: label(i * step)})
	}
	return all
}

// decades labels a logarithmic axis at 1, 2 and 5 times the powers of ten, or at the powers alone where there are
// many; lo is positive.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(lo, hi float64) (all []plot.Tick) {
	factors := []float64{1, 2, 5}
	if hi > 1e4*lo {
		factors = factors[:1]
	}
	for power := math.Floor(math.Log10(lo)); power <= math.Log10(hi); power++ {
		for _, f := range factors {
			if v := f * math.Pow(10, power); v >= lo && v <= hi {
				all = append(all, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
			}
		}
	}
	return all
}

// named labels an axis at given places.
type named []Tick

// Ticks implements plot.Ticker.
func (n named) Ticks(lo, hi float64) (all []plot.Tick) {
	for _, t := range n {
		if t.At >= lo && t.At <= hi {
			all = append(all, plot.Tick{Value: t.At, Label: t.Label})
		}
	}
	return all
}

// labels writes numbers up to a largest one shortly, all with one unit and number of digits:
// 0.25, 20k, 1.5M, 1.0e−4.
func labels(largest, step float64) func(float64) string {
	unit, suffix := 1.0, ""
	switch {
	case largest >= 1e9 || largest < 1e-3:
		power := math.Floor(math.Log10(largest))
		unit, suffix = math.Pow(10, power), fmt.Sprintf("e%.0f", power)
	case largest >= 1e6:
		unit, suffix = 1e6, "M"
	case largest >= 1e4:
		unit, suffix = 1e3, "k"
	}
	digits := max(0, -int(math.Floor(math.Log10(step/unit)+1e-9)))
	return func(v float64) string {
		if v == 0 && suffix != "" {
			return "0"
		}
		return strings.ReplaceAll(strconv.FormatFloat(v/unit+0, 'f', digits, 64)+suffix, "-", "−")
	}
}
