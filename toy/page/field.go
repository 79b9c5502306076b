package page

import (
	"cmp"
	"math"
	"slices"
)

// window is the part of the plane that is shown, in the data's units.
type window struct{ x0, x1, y0, y1 float64 }

// field is a function on a grid of w by h cells over the window: the value at the middle of each,
// row by row from y0 up.
type field struct {
	w, h int
	v    []float64
}

// at is the value at a place in the window, from (0,0) at its lower left to (1,1), linear between
// the middles of cells and constant beyond the outermost.
func (f field) at(u, v float64) float64 {
	i, s := cell(u, f.w)
	j, t := cell(v, f.h)
	right, up := min(i+1, f.w-1)-i, (min(j+1, f.h-1)-j)*f.w
	k := j*f.w + i
	return (1-t)*((1-s)*f.v[k]+s*f.v[k+right]) + t*((1-s)*f.v[k+up]+s*f.v[k+up+right])
}

// cell is the cell of n whose middle is at u or left of it, and how far u is on the way to the next.
func cell(u float64, n int) (int, float64) {
	p := max(0, min(float64(n-1), u*float64(n)-0.5))
	i := min(int(p), max(0, n-2))
	return i, p - float64(i)
}

// enlarged is the field on w by h pixels, from the top down, by cubic curves through the middles of
// cells (Catmull and Rom): contours have no corners.
func (f field) enlarged(w, h int) []float64 {
	across, rows := curve(f.w, w), make([]float64, f.h*w)
	for j := range f.h {
		row := f.v[j*f.w : (j+1)*f.w]
		for x, k := range across {
			rows[j*w+x] = k.weight[0]*row[k.at[0]] + k.weight[1]*row[k.at[1]] + k.weight[2]*row[k.at[2]] + k.weight[3]*row[k.at[3]]
		}
	}
	out := make([]float64, w*h)
	for y, k := range curve(f.h, h) {
		to := out[(h-1-y)*w : (h-y)*w]
		for n, weight := range k.weight {
			for x, v := range rows[k.at[n]*w : (k.at[n]+1)*w] {
				to[x] += weight * v
			}
		}
	}
	return out
}

// knot is what a pixel takes of four cells.
type knot struct {
	at     [4]int
	weight [4]float64
}

// curve is how n pixels take their values from so many cells.
func curve(cells, n int) []knot {
	all := make([]knot, n)
	for x := range all {
		i, t := cell((float64(x)+0.5)/float64(n), cells)
		for k := range 4 {
			all[x].at[k] = max(0, min(cells-1, i-1+k))
		}
		all[x].weight = [4]float64{
			((2-t)*t - 1) * t / 2, (t*t*(3*t-5) + 2) / 2, ((4-3*t)*t + 1) * t / 2, (t - 1) * t * t / 2,
		}
	}
	return all
}

// normal is the field minus the logarithm of its integral over the window: a log-density there.
func (f field) normal(box window) field {
	z := f.logIntegral(box)
	out := field{f.w, f.h, make([]float64, len(f.v))}
	for i, v := range f.v {
		out.v[i] = v - z
	}
	return out
}

func (f field) logIntegral(box window) float64 {
	top := slices.Max(f.v)
	sum := 0.0
	for _, v := range f.v {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum*(box.x1-box.x0)*(box.y1-box.y0)/float64(f.w*f.h))
}

// enclosing returns the heights of log-density whose contours enclose given shares of the mass in the
// window: the smallest regions that do (highest-density regions, Hyndman, 1996).
func (f field) enclosing(shares ...float64) []float64 {
	sorted := slices.Clone(f.v)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	total := 0.0
	for _, v := range sorted {
		total += math.Exp(v - sorted[0])
	}
	levels := make([]float64, len(shares))
	for i, share := range shares {
		sum := 0.0
		for _, v := range sorted {
			sum += math.Exp(v - sorted[0])
			levels[i] = v
			if sum >= share*total {
				break
			}
		}
	}
	return levels
}

// resample is the field on a coarser grid of at most n cells a side, or the field itself.
func (f field) resample(n int) field {
	if f.w <= n && f.h <= n {
		return f
	}
	out := field{min(f.w, n), min(f.h, n), nil}
	for j := range out.h {
		for i := range out.w {
			out.v = append(out.v, f.at((float64(i)+0.5)/float64(out.w), (float64(j)+0.5)/float64(out.h)))
		}
	}
	return out
}

// blend is the field on the way from one to another of the same size.
func blend(a, b field, t float64) field {
	out := field{a.w, a.h, make([]float64, len(a.v))}
	for i := range out.v {
		out.v[i] = (1-t)*a.v[i] + t*b.v[i]
	}
	return out
}
