package main

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/eval/ood"
	"jem/feed"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/imagefile"
	"jem/predict"
	"jem/predict/weights"
)

// scoreFormats are what scores are written as.
var scoreFormats = []string{"table", "json", "csv", "safetensors"}

func scoreCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "score",
		Usage: "say class, confidence, log p(x) and approximate mass of images",
		Description: examples("MODEL is a run, a checkpoint, or a file of weights (.pt, .pth, .safetensors); INPUT a picture, a folder of\n"+
			"pictures, or a safetensors file with x (N,C,H,W) in [-1,1].\n"+
			"log p(x) is known up to a constant of the model. The approximate mass is\n"+
			"−‖∂log p(x)/∂x‖, the L2 norm over pixels in [-1,1]: near 0 where the density is flat.\n"+
			"--rule says which pictures are unusual: those whose score is no higher than that of at most a share,\n"+
			"--false-alarms, of the images that the run held out.\n"+
			"Pictures that can't be read are listed with the reason, the others are scored, and the exit code is 65.",
			"jem score runs/first photo.jpg",
			"jem score runs/first pictures/ --out scores.csv",
			"jem score runs/first pictures/ --rule mahalanobis --false-alarms 0.02",
			"jem score model.pt images.safetensors --out scores.safetensors"),
		Flags: append(append([]cli.Flag{
			modelFlag("a run's or checkpoint's `FOLDER`, or a .pt, .pth or .safetensors file"),
			&cli.StringSliceFlag{Name: "input", Aliases: []string{"i"}, Usage: "what the argument INPUT says, picture, `FOLDER` or file; may be repeated for pictures"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FILE` to write instead of stdout"},
			&cli.StringFlag{Name: "format", Usage: "table, json, csv or safetensors (logits, log_px, approx_mass); default: as --out ends, else a table"},
			&cli.StringFlag{Name: "ground", Usage: "what transparent pixels lie on: " + strings.Join(imagefile.Grounds, ", ") + "; default: as in training, for a file white"},
			&cli.StringFlag{Name: "rule", Usage: "say what is unusual by this score: " + strings.Join(ood.Ruling, ", ") + "; jem eval --task ood tells which is worth it"},
			&cli.Float64Flag{Name: "false-alarms", Value: 0.05, Usage: "share of usual images that --rule may call unusual"},
			jsonFlag, normFlag, sizeFlag, checkpointFlag, weightsFlag, dataDirFlag,
		}, deviceFlags()...), logFlags()...),
		Action: runScore,
	}, "[MODEL]", "[INPUT...]")
}

func runScore(c *cli.Context) error {
	path, inputs := modelOf(c)
	inputs = append(inputs, c.StringSlice("input")...)
	switch {
	case modelMissing(c, path):
		return errModelMissing(c)
	case len(inputs) == 0:
		return usagef(c, "INPUT is missing: name pictures, a folder of them or a safetensors file")
	}
	format, err := scoreFormat(c)
	if err != nil {
		return err
	}
	o, err := optionsOf(c)
	if err != nil {
		return err
	}
	return withDevice(c, func(s *screen, dev backend.Device) error {
		m, err := openScored(c, s, dev, path, o, predict.AtMost(mostOf(inputs)))
		if err != nil {
			return err
		}
		in, err := openInput(c, inputs, m, s)
		if err != nil {
			return err
		}
		rule, err := ruleOf(c, s, m)
		if err != nil {
			return err
		}
		scores, failed := m.Score(c.Context, rule.Wants(), in.total, in.next, s.follow())
		s.notes(in.notes())
		if scores.Len() == 0 {
			return cmp.Or(failed, in.err())
		}
		about := m.Subject(0)
		about.Data = strings.Join(inputs, ", ")
		said := newScored(about, scores, m.Classes, in)
		if err := said.judge(rule); err != nil {
			return err
		}
		err = writeScores(c, format, said)
		if failed != nil && err == nil {
			s.log.Warn("ended early: what was scored before is written", zap.Int("scored", scores.Len()), zap.Int("of", in.total))
		}
		return cmp.Or(err, failed, in.err())
	})
}

// scoreFormat checks the flags.
func scoreFormat(c *cli.Context) (string, error) {
	format := c.String("format")
	switch out := c.String("out"); {
	case format == "" && c.Bool("json"):
		format = "json"
	case format == "" && slices.Contains(scoreFormats, strings.TrimPrefix(filepath.Ext(out), ".")):
		format = filepath.Ext(out)[1:]
	case format == "":
		format = "table"
	}
	switch {
	case !slices.Contains(scoreFormats, format):
		return "", usagef(c, "--format %q: want %s", format, strings.Join(scoreFormats, ", "))
	case c.IsSet("ground") && !slices.Contains(imagefile.Grounds, c.String("ground")):
		return "", usagef(c, "--ground %q: want %s", c.String("ground"), strings.Join(imagefile.Grounds, ", "))
	case format == "safetensors" && !c.IsSet("out"):
		return "", usagef(c, "--out is missing: safetensors are not printed")
	}
	return format, checkRule(c)
}

// checkRule checks --rule and --false-alarms.
func checkRule(c *cli.Context) error {
	switch {
	case c.IsSet("rule") && !slices.Contains(ood.Ruling, c.String("rule")):
		return usagef(c, "--rule %q: want %s", c.String("rule"), strings.Join(ood.Ruling, ", "))
	case c.IsSet("false-alarms") && !c.IsSet("rule"):
		return usagef(c, "--false-alarms goes with --rule")
	case !(c.Float64("false-alarms") > 0 && c.Float64("false-alarms") < 1):
		return usagef(c, "--false-alarms %g: want a share between 0 and 1", c.Float64("false-alarms"))
	}
	return nil
}

// ruleOf fits the rule that --rule names; nil where it names none.
func ruleOf(c *cli.Context, s *screen, m *predict.Predictor) (*ood.Rule, error) {
	switch {
	case !c.IsSet("rule"):
		return nil, nil
	case m.Config.Data.Name == "":
		return nil, usagef(c, "--rule goes with a run, which knows the images that it held out")
	case c.IsSet("data-dir"):
		m.Config.Data.Dir = c.String("data-dir")
	}
	rule, notes, err := ood.FitRule(c.Context, m, c.String("rule"), c.Float64("false-alarms"), s.follow())
	s.notes(notes)
	return rule, err
}

// mostOf is how many images there may be in inputs, as far as their names tell.
func mostOf(inputs []string) int {
	for _, path := range inputs {
		if isFolder(path) || strings.EqualFold(filepath.Ext(path), ".safetensors") {
			return feed.EvalBatch
		}
	}
	return len(inputs)
}

// openScored opens the run, checkpoint or file that a command line names.
func openScored(c *cli.Context, s *screen, dev backend.Device, path string, o weights.Options, at predict.Option) (*predict.Predictor, error) {
	switch {
	case isFolder(path) || path == "":
		run, folder, err := placeOf(c, path)
		if err != nil {
			return nil, err
		}
		which, err := whichWeights(c)
		if err != nil {
			return nil, err
		}
		return openFolder(s, dev, run, folder, at, predict.Using(which))
	case c.IsSet("checkpoint"):
		return nil, usagef(c, "--checkpoint goes with a run: %s is none", path)
	case c.IsSet(weightsFlag.Name):
		return nil, usagef(c, "--weights goes with a run: %s has one kind of them", path)
	}
	return openFile(s, dev, path, o, at)
}

// input is the images to score.
type input struct {
	total int                 // how many there may be
	next  func([]float32) int // see predict.Predictor.Score
	album *data.Album         // nil for a tensor's rows
}

func openInput(c *cli.Context, paths []string, m *predict.Predictor, s *screen) (in input, err error) {
	ch, h, w := m.Shape()
	tensor := func(p string) bool { return strings.EqualFold(filepath.Ext(p), ".safetensors") }
	if slices.ContainsFunc(paths, tensor) {
		if len(paths) > 1 {
			return in, &fault.Error{Path: paths[slices.IndexFunc(paths, tensor)], Kind: fault.ErrBad, Reason: "a safetensors file is scored by itself: leave the other inputs out"}
		}
		x, notes, err := data.OpenTensor(paths[0], ch, h, w)
		s.notes(notes)
		return input{total: len(x) / (ch * h * w), next: func(dst []float32) int {
			n := copy(dst, x)
			x = x[n:]
			return n / (ch * h * w)
		}}, err
	}
	o := m.Config.Data.Pictures()
	o.Size, o.Grey = h, ch == 1
	if c.IsSet("ground") {
		o.Ground = imagefile.Ground(c.String("ground"))
	}
	album, notes, err := data.OpenAlbum(paths, o)
	s.notes(notes)
	if err != nil {
		return in, err
	}
	return input{total: len(album.Names), next: album.Next, album: album}, nil
}

// notes are sentences for the user on what was read.
func (in input) notes() []string {
	if in.album == nil {
		return nil
	}
	return in.album.Notes()
}

// err lists what could not be read.
func (in input) err() error {
	if in.album == nil {
		return nil
	}
	return in.album.Err()
}
