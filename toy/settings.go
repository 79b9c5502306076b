package toy

import (
	_ "embed"

	"jem/config"
	"jem/config/settings"
)

//go:embed settings.yaml
var recipe []byte

// Settings are those of a demonstration that takes seconds, with what layers change of them. The error is a *settings.Error,
// also for settings that need more than points: images of elsewhere, starts at a class's images.
func Settings(layers ...settings.Layer) (config.Config, error) {
	c := config.Default()
	if err := settings.Apply(&c, append([]settings.Layer{settings.YAML("the demonstration's recipe", recipe)}, layers...)...); err != nil {
		return c, err
	}
	if err := config.Validate(c); err != nil {
		return c, err
	}
	fault := func(path, problem string) error {
		return &settings.Error{Faults: []settings.Fault{{Path: path, Problem: problem}}}
	}
	switch ever := c.Ever(); {
	case ever.Draws("outliers"):
		return c, fault("outliers", "the plane has no images of elsewhere: leave out what begins at outliers")
	case ever.FromGaussians():
		return c, fault("sampler.start", "chains in the plane begin with uniform noise")
	case c.Data != config.Default().Data:
		return c, fault("data", "points have none of these settings; --data names them")
	case c.Optim.EMA > 0:
		return c, fault("optim.ema", "what is shown are the last weights, not averaged ones")
	case c.Model.Norm != "none":
		return c, fault("model.norm", "the plane's network has none")
	}
	return c, nil
}
