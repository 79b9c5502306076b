package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"jem/config"
	"jem/config/settings"
	"jem/internal/durable"
	"jem/internal/fault"
)

// Recipe is some recorded training steps of a recipe: of any streams, negatives and terms that a
// configuration may have. Everything random was drawn by the recorder.
type Recipe struct {
	Name   string // the files' name without extension, for messages
	Config config.Config
	Trace  []map[string]float64 // by step: the terms' values under their settings' names, L, means of log p(x), norms of gradients

	Classes  int
	Image    [3]int             // C, H, W of a picture
	Stride   int                // of parameters and their gradients every so manieth entry is recorded
	Rounding map[string]float64 // by kind of result: how far float32 was from float64 in the recorder, as a share of a tensor's largest entry

	Tensors map[string]Tensor // "in/STEP/…" are inputs, the others results
	Start   map[string]Tensor // weights and running statistics before the first step
}

// recipeFile is Recipe as its JSON file has it.
type recipeFile struct {
	Recipe   string               `json:"recipe"`
	Classes  int                  `json:"classes"`
	Stride   int                  `json:"stride"`
	Settings json.RawMessage      `json:"settings"` // those of a configuration that differ from the defaults
	Rounding map[string]float64   `json:"rounding"`
	Trace    []map[string]float64 `json:"trace"`
}

// startFile holds the weights that the recordings of a folder begin with.
const startFile = "start.safetensors"

// ReadRecipe reads recorded steps of a recipe. path names either of their files, or both without
// extension. It returns nil without error for JSON of another form, such as that of a step of the official
// code.
func ReadRecipe(path string) (*Recipe, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(path, ".json"), ".safetensors")
	text, err := durable.ReadFile(base+".json", maxConfig)
	if err != nil {
		return nil, err
	}
	r, err := parseRecipe(text)
	if err != nil {
		return nil, fmt.Errorf("%s.json: %w", base, err)
	}
	if r == nil {
		return nil, nil
	}
	r.Name = filepath.Base(base)
	if r.Tensors, err = readTensors(base + ".safetensors"); err != nil {
		return nil, err
	}
	if r.Start, err = readTensors(filepath.Join(filepath.Dir(base), startFile)); err != nil {
		return nil, err
	}
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("%s.safetensors: %w", base, err)
	}
	return r, nil
}

// parseRecipe reads what a recording says of itself; nil without error if it isn't one of a recipe.
func parseRecipe(text []byte) (*Recipe, error) {
	var f recipeFile
	if json.Unmarshal(text, &f) != nil || f.Recipe == "" {
		return nil, nil
	}
	switch {
	case f.Classes < 2 || f.Classes > maxCount:
		return nil, fmt.Errorf("classes is %d, want 2 to %d", f.Classes, maxCount)
	case f.Stride < 1:
		return nil, fmt.Errorf("stride is %d, want 1 or more", f.Stride)
	case len(f.Trace) == 0:
		return nil, errors.New("trace is empty, want the terms of a step")
	}
	c, err := config.Load("", settings.YAML("settings", f.Settings))
	if err != nil {
		return nil, errors.New(err.Error()) // bad data, not a user's setting
	}
	return &Recipe{Config: c, Trace: f.Trace, Classes: f.Classes, Stride: f.Stride, Rounding: f.Rounding}, nil
}

// validate checks that there are pictures, and weights for the network.
func (r *Recipe) validate() error {
	x := r.Tensors["in/0/labeled"].Shape
	if len(x) != 4 || x[2] != x[3] {
		return errors.New(fault.Sprintf("in/0/labeled has shape %v, want (N,C,H,H)", x))
	}
	r.Image = [3]int(x[1:])
	network := r.Config.Network(r.Classes, r.Image[0], r.Image[1])
	if err := network.Validate(); err != nil {
		return err
	}
	for _, p := range network.Layout() {
		if got := r.Start[p.Name].Shape; !slices.Equal(got, p.Shape) {
			return errors.New(fault.Sprintf("%s: %s has shape %v, the network's %v", startFile, p.Name, got, p.Shape))
		}
	}
	return nil
}

// images are the recorded input of that name, n pictures.
func (r *Recipe) images(name string, n int) ([]float32, error) {
	t, want := r.Tensors[name], append([]int{n}, r.Image[:]...)
	if t.F32 == nil || !slices.Equal(t.Shape, want) {
		return nil, errors.New(fault.Sprintf("%s has shape %v, want %v of float32", name, t.Shape, want))
	}
	return t.F32, nil
}

// labels are n recorded classes.
func (r *Recipe) labels(name string, n int) ([]int32, error) {
	t := r.Tensors[name]
	if len(t.I32) != n {
		return nil, fmt.Errorf("%s holds %d integers, want %d", name, len(t.I32), n)
	}
	for _, label := range t.I32 {
		if label < 0 || int(label) >= r.Classes {
			return nil, fmt.Errorf("%s holds %d, want 0 to %d", name, label, r.Classes-1)
		}
	}
	return t.I32, nil
}
