package picture

import "math"

// Steps outlines bars as a line: bar i is heights[i] high between edges[i] and edges[i+1],
// so there is one edge more than heights. The line begins and ends at 0.
func Steps(edges, heights []float64) []Point {
	points := []Point{{edges[0], 0}}
	for i, h := range heights {
		points = append(points, Point{edges[i], h}, Point{edges[i+1], h})
	}
	return append(points, Point{edges[len(edges)-1], 0})
}

// Densities outlines histograms of samples over one range, each of area 1, so that samples
// of different sizes can be compared. There must be numbers, all of them finite.
func Densities(bins int, samples ...[]float64) [][]Point {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range samples {
		for _, v := range s {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo == hi {
		lo, hi = lo-0.5, hi+0.5
	}
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = lo + (hi-lo)*float64(i)/float64(bins)
	}
	var all [][]Point
	for _, s := range samples {
		heights := make([]float64, bins)
		for _, v := range s {
			i := min(int((v-lo)/(hi-lo)*float64(bins)), bins-1)
			heights[i] += float64(bins) / (hi - lo) / float64(len(s))
		}
		all = append(all, Steps(edges, heights))
	}
	return all
}
