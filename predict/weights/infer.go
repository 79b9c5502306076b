package weights

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"jem/internal/data"
	"jem/internal/fault"
	"jem/model"
)

const (
	stemChannels   = 16
	publishedSlope = 0.2
	publishedSize  = 32
	maxSide        = 1024 // as images have at most
)

// infer finds the network in names and shapes of its tensors.
func infer(found map[string]*entry, buffer *entry, o Options) (c model.Config, err error) {
	if _, ok := found[model.HiddenLayers+"0.weight"]; ok {
		return inferMLP(found, buffer, o)
	}
	stem, ok1 := matrix(found, "f.conv1.weight", 4)
	block, ok2 := matrix(found, "f.layer1.0.conv1.weight", 4)
	classes, ok3 := matrix(found, "class_output.weight", 2)
	if !ok1 || !ok2 || !ok3 {
		return c, errors.New("holds no network of the official JEM code: it has " + listed(found) + "; " + wanted)
	}
	blocks := 0
	for ; ; blocks++ {
		if _, ok := found[fmt.Sprintf("f.layer1.%d.conv1.weight", blocks)]; !ok {
			break
		}
	}
	c = model.Config{
		Depth: 6*blocks + 4, Width: block[0] / stemChannels, Classes: classes[0], InC: stem[1],
		Norm: o.Norm, Slope: o.Slope, Size: o.Size,
	}
	if block[0]%stemChannels != 0 {
		return c, fmt.Errorf("first stage of %d channels, want a multiple of %d", block[0], stemChannels)
	}
	if c.Slope == 0 {
		c.Slope = publishedSlope
	}
	if err := size(&c, buffer); err != nil {
		return c, err
	}
	if c.Size > maxSide {
		return c, fmt.Errorf("is for images of %d×%d pixels: at most %d×%d are possible", c.Size, c.Size, maxSide, maxSide)
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	return c, norm(&c, found)
}

func matrix(found map[string]*entry, name string, rank int) ([]int, bool) {
	e := found[name]
	if e == nil || len(e.shape) != rank {
		return nil, false
	}
	return e.shape, true
}

// listed are the first names of a network's tensors, with their shapes.
func listed(found map[string]*entry) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		list = append(list, fault.Short(name)+" "+fault.Quote(found[name].shape))
	}
	return strings.Join(few(list), ", ")
}

// size takes the image size from the replay buffer, if there is one.
func size(c *model.Config, buffer *entry) error {
	if err := sizeOf(c, buffer); err != nil {
		return err
	}
	if c.Size > data.MaxSide {
		return fmt.Errorf("is for images of %d×%d pixels: at most %d are taken", c.Size, c.Size, data.MaxSide)
	}
	return nil
}

func sizeOf(c *model.Config, buffer *entry) error {
	if buffer == nil {
		if c.Size == 0 {
			c.Size = publishedSize
		}
		return nil
	}
	s := buffer.shape
	if len(s) != 4 || s[1] != c.InC || s[2] != s[3] || c.Size != 0 && s[2] != c.Size {
		return errors.New(fault.Sprintf("replay buffer of shape %v, want (slots,%d,size,size)", s, c.InC))
	}
	c.Size = s[2]
	return nil
}

// norm finds the norm, or compares the one asked for.
func norm(c *model.Config, found map[string]*entry) error {
	_, affine := found["f.bn1.weight"]
	_, running := found["f.bn1.running_mean"]
	switch {
	case c.Norm == "" && !affine:
		c.Norm = "none"
	case c.Norm == "" && running:
		c.Norm = "batch"
	case c.Norm == "":
		return errors.New("has norms that are either instance or layer norms, their weights look the same: say which with --norm")
	case (c.Norm == "none") == affine || (c.Norm == "batch") != running:
		return fmt.Errorf("its tensors are not those of a network with norm %s", c.Norm)
	}
	return nil
}
