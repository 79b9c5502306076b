package replay

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/safetensors"
)

// maxFile bounds the size of a step file: WRN-28-10 with its gradients takes 450 MB.
const maxFile = 2 << 30

// maxConfig bounds the size of its configuration, some lines of JSON.
const maxConfig = 1 << 20

func readTensors(path string) (map[string]Tensor, error) {
	data, err := durable.ReadFile(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("read golden step: %w", err)
	}
	tensors, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("read golden step: %s: %w", path, err)
	}
	return tensors, nil
}

// decode parses a safetensors file.
func decode(data []byte) (map[string]Tensor, error) {
	all, err := safetensors.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	tensors := map[string]Tensor{}
	for _, t := range all {
		if slices.Contains(t.Shape, 0) {
			return nil, errors.New(fault.Sprintf("tensor %q: shape %v is no shape", t.Name, t.Shape))
		}
		tensors[t.Name] = Tensor{Shape: t.Shape, F32: t.F32, I32: t.I32}
	}
	return tensors, nil
}

// validate checks that a replay finds what it needs, in shapes that fit each other.
func (s *Step) validate() error {
	c := s.Config
	xp, ok := s.Tensors["in/x_p"]
	if !ok || len(xp.Shape) != 4 || xp.Shape[0] != c.Batch {
		return errors.New(fault.Sprintf("in/x_p has shape %v, want (%d,C,H,W)", xp.Shape, c.Batch))
	}
	s.Image = [3]int(xp.Shape[1:])
	want := map[string][]int{
		"in/x_p": xp.Shape, "in/x_lab": xp.Shape, "in/x0": xp.Shape, "in/x0_y": xp.Shape,
		"in/noise": append([]int{c.Steps}, xp.Shape...), "in/noise_y": append([]int{c.Steps}, xp.Shape...),
		"sgld/grad0": xp.Shape, "out/lse_xp": {c.Batch}, "out/lse_xq": {c.Batch}, "out/logits_xlab": {c.Batch, c.Classes},
	}
	for k := range c.Steps {
		want[fmt.Sprintf("sgld/x%d", k+1)] = xp.Shape
	}
	for _, name := range s.Names() {
		if err := s.fits(name, want); err != nil {
			return err
		}
	}
	if err := s.validateInputs(); err != nil {
		return err
	}
	return s.validateParams()
}

// fits checks type and shape of a tensor that a replay uses, and notes any other.
func (s *Step) fits(name string, want map[string][]int) error {
	t := s.Tensors[name]
	shape, known := want[name]
	param := strings.HasPrefix(name, "param0/") || strings.HasPrefix(name, "param1/") || strings.HasPrefix(name, "grad/")
	switch {
	case name == "in/y_lab":
	case !known && !param:
		s.Extra = append(s.Extra, name)
	case t.F32 == nil:
		return fmt.Errorf("%s holds integers, want float32", fault.Short(name))
	case known && !slices.Equal(shape, t.Shape):
		return errors.New(fault.Sprintf("%s has shape %v, want %v", fault.Short(name), t.Shape, shape))
	}
	return nil
}

func (s *Step) validateInputs() error {
	c := s.Config
	if _, ok := s.Tensors["in/x_lab"]; !ok {
		return fmt.Errorf("in/x_lab is missing")
	}
	y := s.Tensors["in/y_lab"]
	if !slices.Equal(y.Shape, []int{c.Batch}) || y.I32 == nil {
		return errors.New(fault.Sprintf("in/y_lab has shape %v, want %d integers", y.Shape, c.Batch))
	}
	for _, label := range y.I32 {
		if label < 0 || int(label) >= c.Classes {
			return fmt.Errorf("in/y_lab holds %d, want 0 to %d", label, c.Classes-1)
		}
	}
	if _, ok := s.Chain(); !ok && c.PX != 0 {
		return fmt.Errorf("in/x0 or in/noise is missing, and p_x is %g", c.PX)
	}
	if _, ok := s.JointChain(); !ok && c.PXY != 0 {
		return fmt.Errorf("in/x0_y or in/noise_y is missing, and p_x_y is %g", c.PXY)
	}
	return nil
}

// validateParams checks that every parameter has a gradient and a successor.
func (s *Step) validateParams() error {
	before := s.Params("param0/")
	if len(before) == 0 {
		return fmt.Errorf("param0/ holds nothing, want the parameters before the step")
	}
	for _, prefix := range []string{"param1/", "grad/"} {
		group := s.Params(prefix)
		for name, t := range group {
			if p, ok := before[name]; !ok || !slices.Equal(p.Shape, t.Shape) {
				return errors.New(fault.Sprintf("%s has shape %v, its namesake in param0/ %v", fault.Short(prefix+name), t.Shape, p.Shape))
			}
		}
		if len(group) != len(before) {
			return fmt.Errorf("%s holds %d tensors, param0/ %d", prefix, len(group), len(before))
		}
	}
	return nil
}
