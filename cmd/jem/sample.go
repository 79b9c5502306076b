package main

import (
	"image"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/config"
	"jem/feed"
	"jem/internal/picture"
	"jem/predict"
)

func sampleCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "sample",
		Usage: "draw samples from a trained model as a picture",
		Description: examples("Draws go on from the replay buffer, or begin afresh, and the picture shows them by the class the model sees.",
			"jem sample runs/first --out samples.png",
			"jem sample runs/first --fresh --class each --count 30 --out each.png",
			"jem sample runs/first --fresh --gif chains.gif"),
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "PNG `FILE` to write"},
		}, chainFlags(strconv.Itoa(usualSamples), "those of training, or "+strconv.Itoa(config.FreshSteps)+" of fresh ones", "buffer"), []cli.Flag{
			&cli.StringFlag{Name: "class", Usage: "samples of one class, by name or number, or each class in turn: climb log p(x|y)"},
			&cli.Float64Flag{Name: "guidance", Usage: "weight w of guided samples of --class: climb (1+w)·log p(x,y) − w·log p(x)"},
			&cli.StringFlag{Name: "sort", Value: "class", Usage: "order of the picture: class (predicted) or logpx (the likeliest first)"},
			&cli.StringFlag{Name: "gif", Usage: "animated GIF `FILE` of the chains, with --out or without"},
			&cli.IntFlag{Name: "every", Usage: "SGLD steps between frames; default: some 60 frames"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of noise and fresh starts"},
			jsonFlag,
		}, runFlags()),
		Action: drawSamples,
	}, "[MODEL]")
}

// usualSamples is how many are drawn where --count doesn't say.
const usualSamples = 100

func drawSamples(c *cli.Context) error {
	w, n := c.Float64("guidance"), number(c, "count", usualSamples)
	switch {
	case !c.IsSet("out") && !c.IsSet("gif"):
		return usagef(c, "--out is missing: name the PNG file to write")
	case n < 1:
		return usagef(c, "--count %d: want at least 1", n)
	case c.IsSet("gif") && n > feed.EvalBatch:
		return usagef(c, "--count %d: --gif shows at most %d chains", n, feed.EvalBatch)
	case c.Int("steps") < 0:
		return usagef(c, "--steps %d: want at least 0", c.Int("steps"))
	case c.Int("every") < 0:
		return usagef(c, "--every %d: want at least 1", c.Int("every"))
	case !(w >= 0) || w > 1e3:
		return usagef(c, "--guidance %g: want 0 to 1000", w)
	case w > 0 && !c.IsSet("class"):
		return usagef(c, "--guidance needs --class: guided towards which?")
	case c.String("sort") != "class" && c.String("sort") != "logpx":
		return usagef(c, "--sort %q: want class or logpx", c.String("sort"))
	}
	return withRun(c, func(_ *screen, m *predict.Predictor) error {
		for _, file := range []string{c.String("out"), c.String("gif")} {
			if err := apart(file, m.Config); err != nil {
				return err
			}
		}
		o, err := sampleOptions(c, m)
		if err != nil {
			return err
		}
		if err := drawFilm(c, m, o); err != nil || !c.IsSet("out") {
			return err
		}
		samples, err := m.Sample(c.Context, o)
		if err != nil {
			return err
		}
		var img *image.NRGBA
		if c.String("sort") == "logpx" {
			samples = samples.Ranked()
			img, err = samples.Plain()
		} else {
			img, err = samples.Sheet(m.Classes)
		}
		if err != nil {
			return err
		}
		if err := picture.WritePNG(c.String("out"), img); err != nil {
			return err
		}
		if c.Bool("json") {
			return printJSON(c, sampled(m, c.String("out"), o, samples))
		}
		printPlace(c, c.String("out"))
		return nil
	})
}

// drawFilm writes the film that --gif names, if it names one.
func drawFilm(c *cli.Context, m *predict.Predictor, o predict.SampleOptions) error {
	const frames, delay, last = 60, 8, 200 // delays in 1/100 s
	path, every := c.String("gif"), c.Int("every")
	if path == "" {
		return nil
	}
	if every == 0 {
		every = max(1, o.Steps/frames)
	}
	film, err := m.Animate(c.Context, o, every)
	if err != nil {
		return err
	}
	a := picture.Animation{Delay: delay, Last: last}
	ch, h, w := m.Shape()
	for _, f := range film {
		img, err := picture.Grid{}.Draw(picture.Batch{N: o.N, C: ch, H: h, W: w, Pix: f.Images})
		if err != nil {
			return err
		}
		a.Frames = append(a.Frames, img)
	}
	if err := picture.WriteGIF(path, a); err != nil || c.Bool("json") {
		return err
	}
	printPlace(c, path)
	return nil
}

func sampleOptions(c *cli.Context, m *predict.Predictor) (predict.SampleOptions, error) {
	o, err := sampling(c, m, false)
	if err != nil {
		return o, err
	}
	o.N, o.Steps = number(c, "count", usualSamples), number(c, "steps", o.Steps)
	o.Seed, o.Guidance = c.Uint64("seed"), float32(c.Float64("guidance"))
	if !c.IsSet("class") {
		return o, nil
	}
	name := c.String("class")
	if name == "each" {
		o.Class = predict.EachClass
		return o, nil
	}
	if o.Class = classNamed(m, name); o.Class < 0 {
		return o, usagef(c, "--class %q: want 0 to %d, each or one of %s", name, len(m.Classes)-1, strings.Join(m.Classes, ", "))
	}
	return o, nil
}

// sampleReport says what was drawn.
type sampleReport struct {
	Picture    string    `json:"picture"`
	Samples    int       `json:"samples"`
	Steps      int       `json:"steps"`
	Fresh      bool      `json:"fresh"`
	Guidance   float32   `json:"guidance"`
	Seed       uint64    `json:"seed"`
	EMA        bool      `json:"ema"`   // of averaged weights
	Class      []int     `json:"class"` // predicted, in the picture's order
	Confidence []float64 `json:"confidence"`
	LogPx      []float64 `json:"log_px"`
}

func sampled(m *predict.Predictor, path string, o predict.SampleOptions, s *predict.Samples) sampleReport {
	return sampleReport{path, len(s.Class), o.Steps, o.Fresh, o.Guidance, o.Seed, m.Averaged(), s.Class, s.Confidence, s.LogPx}
}
