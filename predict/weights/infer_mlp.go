package weights

import (
	"errors"
	"fmt"
	"math"

	"jem/internal/data"
	"jem/internal/fault"
	"jem/model"
)

// inferMLP finds a multilayer perceptron in names and shapes of its tensors.
func inferMLP(found map[string]*entry, buffer *entry, o Options) (c model.Config, err error) {
	first, ok1 := matrix(found, model.HiddenLayers+"0.weight", 2)
	classes, ok2 := matrix(found, "class_output.weight", 2)
	if !ok1 || !ok2 {
		return c, errors.New("holds no perceptron: it has " + listed(found) + "; want matrices " + model.HiddenLayers + "0.weight and class_output.weight")
	}
	c = model.Config{Network: model.MLP, Width: first[0], Classes: classes[0], Norm: o.Norm, Slope: o.Slope}
	for ; found[fmt.Sprintf("%s%d.weight", model.HiddenLayers, c.Depth)] != nil; c.Depth++ {
	}
	if c.Slope == 0 {
		c.Slope = publishedSlope
	}
	if c.Norm == "" {
		c.Norm = "none"
	}
	if err := imagesOf(&c, first[1], buffer, o.Size); err != nil {
		return c, err
	}
	if c.Norm != "none" {
		return c, fmt.Errorf("its tensors are not those of a network with norm %s", c.Norm)
	}
	return c, c.Validate()
}

// imagesOf sets the images of so many numbers: the buffer's, or those of a size that is said, else squares
// of three colours or one grey, else points.
func imagesOf(c *model.Config, numbers int, buffer *entry, size int) error {
	if buffer != nil {
		s := buffer.shape
		if len(s) != 4 || s[2] != s[3] || s[1]*s[2]*s[3] != numbers || size != 0 && s[2] != size {
			return errors.New(fault.Sprintf("replay buffer of shape %v, want (slots,channels,size,size) with %d numbers an image", s, numbers))
		}
		c.InC, c.Size = s[1], s[2]
		return nil
	}
	if size == 0 {
		c.InC, c.Size = Images(numbers)
	} else if size > data.MaxSide || numbers%(size*size) != 0 {
		return fmt.Errorf("its first layer has %d inputs: they are no images of %d×%d pixels", numbers, size, size)
	} else {
		c.InC, c.Size = numbers/(size*size), size
	}
	return nil
}

// Images are the channels and pixels a side that images of so many numbers most likely have: three colours where those
// make squares, else one grey, else points of so many channels.
func Images(numbers int) (channels, size int) {
	for _, c := range []int{3, 1} {
		if side := int(math.Round(math.Sqrt(float64(numbers / c)))); c*side*side == numbers {
			return c, side
		}
	}
	return numbers, 1
}
