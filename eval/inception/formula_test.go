package inception

import (
	"math"
	"strings"

	"jem/internal/torchfile"
)

// uniform are n numbers in [-1,1), the same as testdata/gen.py's: splitmix64 of FNV-1a(name),
// top 24 bits.
func uniform(name string, n int) []float64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	all := make([]float64, n)
	for i := range all {
		z := h + uint64(i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		all[i] = float64(z>>40)/(1<<23) - 1
	}
	return all
}

// formula is a tensor of testdata/gen.py's network.
func formula(name string, shape ...int) torchfile.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	t := torchfile.Tensor{Name: name, Shape: shape, F32: make([]float32, n)}
	for i, u := range uniform(name, n) {
		v := 0.25 * u
		switch {
		case strings.HasSuffix(name, "conv.weight"):
			v = u * math.Sqrt(6/float64(n/shape[0]))
		case name == "fc.weight":
			v = u * 0.05
		case strings.HasSuffix(name, "bn.weight"):
			v = 1 + 0.25*u
		case strings.HasSuffix(name, "running_var"):
			v = 1 + 0.5*u
		}
		t.F32[i] = float32(v)
	}
	return t
}

// state is that network's state dict.
func state() (all []torchfile.Tensor) {
	layers, _ := network()
	for i := range layers {
		l := &layers[i]
		if l.kind == maximum {
			continue
		}
		all = append(all, formula(l.name+".conv.weight", l.out, l.channels(), l.kh, l.kw))
		for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			all = append(all, formula(l.name+".bn."+part, l.out))
		}
		all = append(all, torchfile.Tensor{Name: l.name + ".bn.num_batches_tracked", I32: []int32{0}})
	}
	return append(all, formula("fc.weight", Classes, Features), formula("fc.bias", Classes))
}

// images are that script's three, in [−1,1].
func images() []float32 {
	all := make([]float32, 3*3*32*32)
	for i, u := range uniform("images", len(all)) {
		all[i] = float32(math.Floor((u+1)*128)/127.5 - 1)
	}
	return all
}
