package main

import (
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/internal/inception"
	"jem/internal/picture"
	"jem/internal/quality"
	"jem/train"
	"jem/train/journal"
)

// qualityFlags are those of jem eval --task samples.
func qualityFlags() []cli.Flag {
	const category = "Samples"
	return []cli.Flag{
		&cli.StringFlag{Name: "protocol", Value: "followers", Category: category,
			Usage: "how samples are judged: followers (the replay buffer, filtered, against train and test images) or dat (class-balanced samples against train images)"},
		&cli.IntFlag{Name: "count", Usage: "samples; default: the replay buffer's, or " + strconv.Itoa(train.DATCount) + " of protocol dat", Category: category},
		&cli.StringFlag{Name: "from", Usage: "where chains begin: buffer or fresh; default: as the protocol has it", Category: category},
		&cli.IntFlag{Name: "sample-steps", Usage: "SGLD steps of each chain; default: none from the buffer, " + strconv.Itoa(freshSteps) + " of fresh ones", Category: category},
		&cli.Float64Flag{Name: "guidance", Usage: "weight w of guided samples: climb (1+w)·log p(x,y) − w·log p(x)", Category: category},
		&cli.StringFlag{Name: "inception", Usage: "weights `FILE` of Inception; default: where jem data fetch inception puts it", Category: category},
		&cli.StringFlag{Name: "fid-mode", Value: string(inception.TensorFlow), Category: category,
			Usage: "resizing and scaling before Inception: tensorflow (the published graph) or pytorch (pytorch-fid)"},
		&cli.StringFlag{Name: "classifier", Category: category,
			Usage: "run's `FOLDER` or weights file of a classifier whose features give the classifier-feature distance, which is no FID"},
		&cli.StringFlag{Name: "feature-cache", Usage: "`FOLDER` that keeps the real images' side; default: the cache", Category: category},
	}
}

// quality is jem eval --task samples.
func (p *program) quality(c *cli.Context, s *screen, m *train.Predictor) error {
	o, err := qualityOptions(c, m)
	if err != nil {
		return err
	}
	judges, err := openJudges(c, s, m)
	if err != nil {
		return err
	}
	defer judges.close()
	o.NoInception = judges.missing
	result, drawn, err := m.Quality(c.Context, o, judges.networks, s.stages())
	s.close()
	if err != nil {
		return err
	}
	if err := samplePictures(c, m, drawn); err != nil {
		return err
	}
	return p.result(c, result, qualityRows(result))
}

func qualityOptions(c *cli.Context, m *train.Predictor) (train.QualityOptions, error) {
	o := train.QualityOptions{Protocol: c.String("protocol"), Limit: c.Int("limit"), Cache: c.String("feature-cache")}
	from, dat := c.String("from"), o.Protocol == "dat"
	if from == "" {
		if from = "buffer"; dat {
			from = "fresh"
		}
	}
	o.Samples = train.SampleOptions{N: m.BufferSize(), Fresh: from == "fresh", Class: train.AnyClass, Seed: c.Uint64("seed"), Guidance: float32(c.Float64("guidance"))}
	if dat {
		o.Samples.N = train.DATCount
	}
	if c.IsSet("count") {
		o.Samples.N = c.Int("count")
	}
	if o.Samples.Fresh {
		o.Samples.Steps = freshSteps
	}
	if c.IsSet("sample-steps") {
		o.Samples.Steps = c.Int("sample-steps")
	}
	if dat && o.Samples.Steps > 0 || o.Samples.Guidance > 0 {
		o.Samples.Class = train.EachClass
	}
	if o.Cache == "" {
		o.Cache = featureCache()
	}
	_, err := inception.ParseMode(c.String("fid-mode"))
	switch w := c.Float64("guidance"); {
	case !slices.Contains(train.QualityProtocols, o.Protocol):
		return o, usagef(c, "--protocol %q: want %s", o.Protocol, strings.Join(train.QualityProtocols, " or "))
	case from != "buffer" && from != "fresh":
		return o, usagef(c, "--from %q: want buffer or fresh", from)
	case c.IsSet("count") && o.Samples.N < 1:
		return o, usagef(c, "--count %d: want at least 1", o.Samples.N)
	case o.Samples.N < 1 && o.Samples.Fresh:
		return o, usagef(c, "--count is missing: %s has no replay buffer to take the number from", m.Checkpoint)
	case o.Samples.Steps < 0:
		return o, usagef(c, "--sample-steps %d: want at least 0", o.Samples.Steps)
	case !(w >= 0) || w > 1e3:
		return o, usagef(c, "--guidance %g: want 0 to 1000", w)
	case err != nil:
		return o, usagef(c, "--fid-mode: %v", err)
	}
	return o, nil
}

// stages shows the progress of train.Predictor.Quality.
func (s *screen) stages() func(stage string, done, total int) {
	current := ""
	return func(stage string, done, total int) {
		switch {
		case stage == "distance" && done == 0:
			s.close()
			s.log.Info("computes the Fréchet distance: eigenvalues of 2048×2048 numbers, some half a minute")
			return
		case stage == "distance":
			s.log.Info("has the distance")
			current = ""
			return
		case stage != current:
			s.close()
			s.start(int64(total))
			s.log.Info(stage, zap.Int("images", total))
			current = stage
		}
		s.set(int64(done), stage)
	}
}

// samplePictures draws the judged samples into the folder that --pictures names: each class's,
// and the likeliest and the least likely.
func samplePictures(c *cli.Context, m *train.Predictor, s *train.Samples) error {
	const shown = 100
	folder := c.String("pictures")
	if folder == "" {
		return nil
	}
	grid, err := journal.Grid(s, m.Classes)
	if err != nil {
		return err
	}
	ranked := s.Ranked()
	total := len(ranked.Class)
	n := min(shown, total)
	likeliest, err := journal.Plain(ranked.Part(0, n))
	if err != nil {
		return err
	}
	least, err := journal.Plain(ranked.Part(total-n, total))
	if err != nil {
		return err
	}
	for name, img := range map[string]image.Image{"samples-by-class.png": grid, "samples-likeliest.png": likeliest, "samples-least-likely.png": least} {
		content, err := picture.PNG(img)
		if err != nil {
			return err
		}
		if err := writeInto(filepath.Join(folder, name), content); err != nil {
			return err
		}
	}
	return nil
}

func qualityRows(r *train.QualityResult) []string {
	rows := []string{
		fmt.Sprintf("%s: %d samples, %s, seed %d", r.Text, r.Samples, r.Drawn, r.Seed),
		fmt.Sprintf("model: %s, step %d, weights %.12s, %s, %s", escape(r.Checkpoint), r.Step, r.Weights, r.Device, r.Precision),
		fmt.Sprintf("against %s, %d images, data %.12s", r.Reference, r.Real, r.RealHash),
	}
	for _, n := range r.Networks {
		rows = append(rows, "features: "+escape(networkRow(n)))
	}
	rows = append(rows, "FIGURE\tVALUE\tSAMPLES\tOF\tREAL IMAGES")
	for _, f := range r.Figures {
		value, against := "not computed: "+f.Missing, ""
		if f.Value != nil {
			value = fmt.Sprintf("%.4g", *f.Value)
		}
		if f.Splits > 0 {
			value += fmt.Sprintf(" ± %.2g (%d splits)", f.Deviation, f.Splits)
		}
		if f.Against > 0 {
			against = strconv.Itoa(f.Against)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%d\t%s\t%s", f.Name, value, f.Images, f.Of, against))
	}
	return rows
}

func networkRow(n quality.About) string {
	s := fmt.Sprintf("%s, weights %.12s", n.Name, n.Weights)
	switch {
	case n.Published:
		s += " (as published)"
	case n.Mode != "":
		s += " (not the published ones: no figure is comparable)"
	}
	if n.Mode != "" {
		s += ", mode " + n.Mode
	}
	return s + ", " + n.Device
}
