package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/eval/inception"
	"jem/eval/quality"
	"jem/predict"
)

// qualityFlags are those of jem eval --task samples.
func qualityFlags() []cli.Flag {
	const category = "Task samples"
	return []cli.Flag{
		&cli.StringFlag{Name: "protocol", Value: "followers", Category: category,
			Usage: "how samples are judged: followers (the replay buffer, filtered, against train and test images) or dat (class-balanced samples against train images)"},
		&cli.Float64Flag{Name: "guidance", Usage: "weight w of guided samples: climb (1+w)·log p(x,y) − w·log p(x)", Category: category},
		&cli.StringFlag{Name: "inception", Usage: "weights `FILE` of Inception; default: where jem data fetch inception puts it", Category: category},
		&cli.StringFlag{Name: "fid-mode", Value: string(inception.TensorFlow), Category: category,
			Usage: "resizing and scaling before Inception: tensorflow (the published graph) or pytorch (pytorch-fid)"},
		&cli.StringFlag{Name: "classifier", Category: category,
			Usage: "run's `FOLDER` or weights file of a classifier whose features give the classifier-feature distance, which is no FID"},
		&cli.StringFlag{Name: "feature-cache", Usage: "`FOLDER` that keeps the real images' side; default: the cache", Category: category},
	}
}

func qualityOptions(c *cli.Context, m *predict.Predictor) (quality.Options, error) {
	o := quality.Options{Protocol: c.String("protocol"), Limit: c.Int("limit"), Cache: c.String("feature-cache")}
	var err error
	if o.Samples, err = sampling(c, m, o.Protocol == "dat"); err != nil {
		return o, err
	}
	fresh := o.Samples.Fresh
	if !fresh {
		o.Samples.Steps = 0
	}
	o.Samples.N, o.Samples.Steps = c.Int("count"), number(c, "steps", o.Samples.Steps)
	o.Samples.Seed, o.Samples.Guidance = c.Uint64("seed"), float32(c.Float64("guidance"))
	o = o.Settled(m)
	if o.Cache == "" {
		o.Cache = featureCache()
	}
	_, err = inception.ParseMode(c.String("fid-mode"))
	switch w := c.Float64("guidance"); {
	case !slices.Contains(quality.Protocols, c.String("protocol")):
		return o, usagef(c, "--protocol %q: want %s", c.String("protocol"), strings.Join(quality.Protocols, " or "))
	case c.IsSet("count") && c.Int("count") < 1:
		return o, usagef(c, "--count %d: want at least 1", c.Int("count"))
	case !fresh && m.BufferSize() > 0 && o.Samples.N > m.BufferSize():
		return o, usagef(c, "--count %d: the replay buffer has %d chains", o.Samples.N, m.BufferSize())
	case o.Samples.N < 1 && o.Samples.Fresh:
		return o, usagef(c, "--count is missing: %s has no replay buffer to take the number from", m.Checkpoint)
	case o.Samples.Steps < 0:
		return o, usagef(c, "--steps %d: want at least 0", o.Samples.Steps)
	case !(w >= 0) || w > 1e3:
		return o, usagef(c, "--guidance %g: want 0 to 1000", w)
	case err != nil:
		return o, usagef(c, "--fid-mode: %v", err)
	}
	return o, nil
}
