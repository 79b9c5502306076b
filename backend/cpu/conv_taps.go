package cpu

// tap is one step of a convolution's window along an axis: index into the kernel, and
// where it reads, in pixels from the pixel the window stands on.
type tap struct{ k, off int }

// forwardTaps are the taps of y[i] = Σ_k w[k]·x[stride·i + k − pad].
func forwardTaps(kernel, pad int) []tap {
	taps := make([]tap, kernel)
	for k := range taps {
		taps[k] = tap{k, k - pad}
	}
	return taps
}

// gradTaps are the taps of the transpose for the outputs i = stride·j + phase:
// dx[i] = Σ_k w[k]·dy[(i+pad−k)/stride] over the k that divide. They read neighbouring
// dy in ascending order. There may be none.
func gradTaps(kernel, pad, stride, phase int) []tap {
	var taps []tap
	for k := kernel - 1; k >= 0; k-- {
		if at := phase + pad - k; at%stride == 0 {
			taps = append(taps, tap{k, at / stride})
		}
	}
	return taps
}

// reach returns how far taps read before 0 and after size−1, over count windows that
// stand stride apart; negative if they stay inside.
func reach(taps []tap, count, stride, size int) (lo, hi int) {
	lo, hi = -size, -size
	for _, t := range taps {
		lo = max(lo, -t.off)
		hi = max(hi, (count-1)*stride+t.off-(size-1))
	}
	return lo, hi
}

// lowest is the smallest offset of taps, 0 if there are none.
func lowest(taps []tap) int {
	low := 0
	for i, t := range taps {
		if i == 0 || t.off < low {
			low = t.off
		}
	}
	return low
}
