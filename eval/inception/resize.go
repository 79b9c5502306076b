package inception

import (
	"fmt"
	"math"
	"runtime"
	"sync"
)

// Mode is a convention of bringing images to the network. Published figures differ by it.
type Mode string

const (
	// TensorFlow resizes and scales as the published graph does: output pixel i lies at
	// i·size/299, and 0…255 becomes (v−128)/128.
	TensorFlow Mode = "tensorflow"
	// PyTorch does as pytorch-fid: output pixel i lies at (i+½)·size/299 − ½, and 0…255
	// becomes 2v/255 − 1.
	PyTorch Mode = "pytorch"
)

// Modes in the order of the help.
var Modes = []string{string(TensorFlow), string(PyTorch)}

// ParseMode reads a mode's name.
func ParseMode(name string) (Mode, error) {
	for _, m := range Modes {
		if m == name {
			return Mode(m), nil
		}
	}
	return "", fmt.Errorf("unknown mode %q: want %s or %s", name, TensorFlow, PyTorch)
}

// tapsAt says where an output pixel lies: between inputs lo and hi, a share t from lo.
type tapsAt struct {
	lo, hi int
	t      float32
}

func (m Mode) taps(size int) []tapsAt {
	all := make([]tapsAt, Side)
	scale := float64(size) / Side
	for i := range all {
		at := float64(i) * scale
		if m == PyTorch {
			at = max(0, (float64(i)+0.5)*scale-0.5)
		}
		lo := min(int(at), size-1)
		all[i] = tapsAt{lo, min(lo+1, size-1), float32(at - float64(lo))}
	}
	return all
}

// scale takes a pixel from [−1,1] to what the network sees; NaN becomes 0.
func (m Mode) scale(v float32) float32 {
	if math.IsNaN(float64(v)) {
		return 0
	}
	v = min(max(v, -1), 1)
	if m == PyTorch {
		return v
	}
	return ((v+1)*127.5 - 128) / 128
}

// Resize writes images (n,C,size,size) in [−1,1] to dst (n,3,Side,Side) as the network takes
// them, bilinearly. One channel becomes three equal ones.
func (m Mode) Resize(dst, images []float32, c, size int) {
	taps, plane, side := m.taps(size), size*size, Side*Side
	var wait sync.WaitGroup
	planes := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			row, scaled := make([]float32, Side*size), make([]float32, plane)
			for p := range planes {
				from := images[(p/3*c+p%3%c)*plane:][:plane]
				for i, v := range from {
					scaled[i] = m.scale(v)
				}
				stretch(dst[p*side:(p+1)*side], scaled, row, taps, size)
			}
		})
	}
	for p := range len(images) / (c * plane) * 3 {
		planes <- p
	}
	close(planes)
	wait.Wait()
}

// stretch resizes one plane, first along rows into wide (size,Side), then along columns.
func stretch(dst, src, wide []float32, taps []tapsAt, size int) {
	for h := range size {
		from, to := src[h*size:(h+1)*size], wide[h*Side:(h+1)*Side]
		for w, at := range taps {
			to[w] = from[at.lo] + (from[at.hi]-from[at.lo])*at.t
		}
	}
	for h, at := range taps {
		top, bottom, to := wide[at.lo*Side:][:Side], wide[at.hi*Side:][:Side], dst[h*Side:(h+1)*Side]
		for w := range to {
			to[w] = top[w] + (bottom[w]-top[w])*at.t
		}
	}
}
