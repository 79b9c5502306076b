package chart

import "math"

// Density outlines the histograms of samples over one range, each of area 1, so that samples
// of different sizes can be compared: one filled Line a sample, without names. Numbers must
// be finite. A sample without numbers has a flat line.
func Density(bins int, samples ...[]float64) []Line {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range samples {
		for _, v := range s {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo >= hi {
		lo, hi = lo-0.5, hi+0.5
	}
	width := (hi - lo) / float64(bins)
	var all []Line
	for _, s := range samples {
		heights := make([]float64, bins)
		for _, v := range s {
			heights[min(int((v-lo)/width), bins-1)] += 1 / width / float64(len(s))
		}
		all = append(all, Bars(lo, width, heights))
	}
	return all
}

// Bars outlines bars of one width that stand beside each other from lo on.
func Bars(lo, width float64, heights []float64) Line {
	l := Line{X: []float64{lo}, Y: []float64{0}, Filled: true}
	for i, h := range heights {
		from := lo + width*float64(i)
		l.X, l.Y = append(l.X, from, from+width), append(l.Y, h, h)
	}
	l.X, l.Y = append(l.X, lo+width*float64(len(heights))), append(l.Y, 0)
	return l
}
