package backendtest

import (
	"fmt"

	"jem/backend"
)

// NetworkConv is a convolution of the published Wide-ResNet.
type NetworkConv struct {
	Name  string           // channels, kernel, stride and picture size, as in "16to160_k3s1_32x32"
	Spec  backend.ConvSpec // batch included
	Count int              // how often the network has it
}

// NetworkConvs lists the distinct convolutions of the published Wide-ResNet for pictures
// (inC,size,size), in order of first use: a 3×3 stem to 16 channels; three stages of
// (depth−4)/6 blocks at 16, 32 and 64 times width, the stride on a block's second
// convolution; 1×1 shortcuts where size or channels change (official wideresnet.py).
// depth must be 6n+4.
func NetworkConvs(depth, width, inC, size, batch int) []NetworkConv {
	var convs []NetworkConv
	seen := map[string]int{}
	add := func(in, out, size, kernel, stride int) {
		name := fmt.Sprintf("%dto%d_k%ds%d_%dx%d", in, out, kernel, stride, size, size)
		if i, ok := seen[name]; ok {
			convs[i].Count++
			return
		}
		seen[name] = len(convs)
		convs = append(convs, NetworkConv{name, backend.ConvSpec{
			N: batch, InC: in, H: size, W: size, OutC: out, Kernel: kernel, Stride: stride, Pad: (kernel - 1) / 2, Slope: 0.2,
		}, 1})
	}
	add(inC, 16, size, 3, 1)
	in := 16
	for stage := range 3 {
		out := 16 * width << stage
		for block := range (depth - 4) / 6 {
			stride := 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			add(in, out, size, 3, 1)
			add(out, out, size, 3, stride)
			if stride != 1 || in != out {
				add(in, out, size, 1, stride)
			}
			in, size = out, (size-1)/stride+1
		}
	}
	return convs
}
