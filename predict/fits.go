package predict

import (
	"fmt"
	"path/filepath"
	"slices"

	"jem/config"
	"jem/config/settings"
	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/predict/weights"
)

// Fits looks whether a checkpoint is of the network that a configuration describes, as it is
// unless somebody edited the one or the other. Errors: a *settings.Error with the settings that
// differ and what the checkpoint has; a *fault.Error if its tensors are no network at all.
func Fits(c *checkpoint.Checkpoint, cfg config.Config) error {
	tensors := c.Files["model"]
	w, err := weights.New(File(c, "model"), tensors, nil, weights.Options{Norm: normOf(tensors, cfg.Model.Norm)})
	if err != nil {
		return err
	}
	var faults []settings.Fault
	differ := func(path string, asked, have any) {
		if asked != have {
			faults = append(faults, settings.Fault{Path: path, Problem: fmt.Sprintf("%v, but %s is of a run with %v: config.yaml must say so", asked, c.Path, have)})
		}
	}
	differ("model.network", cfg.Network(0, 0, 0).Kind(), w.Config.Kind())
	differ("model.depth", cfg.Model.Depth, w.Config.Depth)
	differ("model.width", cfg.Model.Width, w.Config.Width)
	differ("model.norm", cfg.Model.Norm, w.Config.Norm)
	if cfg.Optim.EMA > 0 && c.Files["ema"] == nil {
		differ("optim.ema", cfg.Optim.EMA, "no averaged weights, 0")
	}
	if len(faults) > 0 {
		return &settings.Error{Faults: faults}
	}
	return averages(c, w.Params)
}

// averages looks whether a checkpoint that has averaged weights has all of them.
func averages(c *checkpoint.Checkpoint, params []checkpoint.Tensor) error {
	ema, ok := c.Files["ema"]
	if !ok {
		return nil
	}
	shapes := map[string][]int{}
	for _, t := range ema {
		shapes[t.Name] = t.Shape
	}
	for _, p := range params {
		if shape, ok := shapes[p.Name]; !ok || !slices.Equal(shape, p.Shape) {
			return misfit(c, "ema", fmt.Sprintf("has no tensor %s of shape %v, which model.safetensors has", p.Name, p.Shape))
		}
	}
	return nil
}

// normOf is the norm that the tensors are of; where they are the same with several, the one asked
// for if it is one of these.
func normOf(tensors []checkpoint.Tensor, asked string) string {
	found := map[string]bool{}
	for _, t := range tensors {
		found[t.Name] = true
	}
	switch {
	case !found["f.bn1.weight"]:
		return "none"
	case found["f.bn1.running_mean"]:
		return "batch"
	case asked == "layer":
		return "layer"
	}
	return "instance"
}

// File is the path of one of a checkpoint's files of tensors.
func File(c *checkpoint.Checkpoint, name string) string {
	return filepath.Join(c.Path, name+".safetensors")
}

// Tensors are those of one of a checkpoint's files. The *fault.Error says that it has no such file.
func Tensors(c *checkpoint.Checkpoint, name string) ([]checkpoint.Tensor, error) {
	tensors, ok := c.Files[name]
	if !ok {
		return nil, &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: "has no " + name + ".safetensors"}
	}
	return tensors, nil
}
