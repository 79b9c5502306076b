package robust

import (
	"bytes"
	"fmt"

	"jem/eval/attack"
	"jem/internal/safetensors"
)

// Adversarial are the images that an attack made.
type Adversarial struct {
	attack.Outcome
	Clean    []float32 // (n,C,H,W)
	Labels   []int32
	Channels int
	Size     int // H and W
}

// Name is what files of the attack's images are called, without an ending.
func (r Result) Name() string { return fmt.Sprintf("adversarial-%s-k%d", r.Kind, r.Refine) }

// Tensors is a safetensors file of x and x_adv (n,C,H,W) with pixels in [−1,1], label (n) and epsilon
// (n) in 1/255: 0 for images answered wrongly without an attack, infinite where none broke
// them; there x_adv is x.
func (a Adversarial) Tensors() ([]byte, error) {
	n := len(a.Labels)
	shape := []int{n, a.Channels, a.Size, a.Size}
	epsilon := make([]float32, n)
	for i, v := range a.Radius {
		epsilon[i] = float32(v * 255 / 2)
	}
	var b bytes.Buffer
	err := safetensors.Write(&b, []safetensors.Tensor{
		{Name: "x", Shape: shape, F32: a.Clean},
		{Name: "x_adv", Shape: shape, F32: a.Images},
		{Name: "label", Shape: []int{n}, I32: a.Labels},
		{Name: "epsilon", Shape: []int{n}, F32: epsilon},
	})
	return b.Bytes(), err
}
