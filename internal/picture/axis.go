package picture

import (
	"math"
	"strconv"
	"strings"
)

// axis maps numbers to pixels.
type axis struct {
	lo, hi   float64 // numbers at the ends; logarithms if log
	from, to float64 // pixels at the ends
	log      bool
}

// scaled returns the number that is linear on the axis, NaN for what it cannot show.
func (a axis) scaled(v float64) float64 {
	if a.log {
		v = math.Log10(v) // of negative numbers NaN, of 0 −Inf
	}
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// pixel returns the place of a number.
func (a axis) pixel(v float64) float64 {
	return a.from + (a.scaled(v)-a.lo)/(a.hi-a.lo)*(a.to-a.from)
}

// include widens the axis to a number; lo starts at +Inf, hi at −Inf.
func (a *axis) include(v float64) {
	if s := a.scaled(v); !math.IsNaN(s) {
		a.lo, a.hi = min(a.lo, s), max(a.hi, s)
	}
}

// settle makes the ends usable whatever was included, and leaves some room; margin is
// a part of the length.
func (a *axis) settle(margin float64) {
	if a.lo > a.hi { // nothing to show
		a.lo, a.hi = 0, 1
	}
	if a.lo == a.hi {
		room := max(math.Abs(a.lo)/10, 0.5)
		a.lo, a.hi = a.lo-room, a.hi+room
	}
	room := margin * (a.hi - a.lo)
	a.lo, a.hi = a.lo-room, a.hi+room
}

// ticks returns about n round numbers on the axis.
func (a axis) ticks(n int) (ticks []float64) {
	if !a.log {
		return roundNumbers(a.lo, a.hi, n)
	}
	if a.hi-a.lo < 1.5 { // few powers of ten: 1, 2 and 5 of each
		for e := math.Floor(a.lo); e <= a.hi; e++ {
			for _, m := range []float64{1, 2, 5} {
				if s := e + math.Log10(m); s >= a.lo && s <= a.hi {
					ticks = append(ticks, m*math.Pow(10, e))
				}
			}
		}
		return ticks
	}
	step := math.Ceil((a.hi - a.lo) / float64(n))
	for e := math.Ceil(a.lo/step) * step; e <= a.hi; e += step {
		ticks = append(ticks, math.Pow(10, e))
	}
	return ticks
}

// roundNumbers returns the multiples of 1, 2 or 5 times a power of ten in [lo, hi], at
// most n+1 of them.
func roundNumbers(lo, hi float64, n int) (list []float64) {
	rough := (hi - lo) / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= rough {
			step = m * power
			break
		}
	}
	first := math.Ceil(lo / step)
	for i := range n + 2 { // counted: adding 1 to a huge float changes nothing
		v := (first+float64(i))*step + 0 // + 0 makes −0 a 0
		if v > hi {
			break
		}
		list = append(list, v)
	}
	return list
}

// label writes a number shortly: 20k, 1.5M, 0.25, 1e−4.
func label(v float64) string {
	abs := math.Abs(v)
	var s string
	switch {
	case abs >= 1e9 || abs > 0 && abs < 1e-3:
		s = strconv.FormatFloat(v, 'e', -1, 64)
		if mantissa, _, _ := strings.Cut(s, "e"); len(mantissa) > 5 {
			s = strconv.FormatFloat(v, 'e', 2, 64)
		}
		s = strings.NewReplacer("e+0", "e", "e-0", "e-", "e+", "e").Replace(s)
	case abs >= 1e6:
		s = strconv.FormatFloat(v/1e6, 'g', 4, 64) + "M"
	case abs >= 1e4:
		s = strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
	default:
		s = strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strings.ReplaceAll(s, "-", "−")
}
