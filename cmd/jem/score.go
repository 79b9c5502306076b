package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/predict"
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
			"−‖∂log p(x)/∂x‖, the L2 norm over pixels in [-1,1]: near 0 where the density is flat.",
			"jem score runs/first photo.jpg",
			"jem score runs/first pictures/ --out scores.csv",
			"jem score model.pt images.safetensors --out scores.safetensors"),
		Flags: append(append([]cli.Flag{
			modelFlag("a run's or checkpoint's `FOLDER`, or a .pt, .pth or .safetensors file"),
			&cli.StringSliceFlag{Name: "input", Aliases: []string{"i"}, Usage: "what the argument INPUT says, picture, `FOLDER` or file; may be repeated for pictures"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FILE` to write instead of stdout"},
			&cli.StringFlag{Name: "format", Usage: "table, json, csv or safetensors (logits, log_px, approx_mass); default: as --out ends, else a table"},
			jsonFlag, normFlag,
		}, deviceFlags()...), logFlags()...),
		Action: runScore,
	}, "[MODEL]", "[INPUT...]")
}

func runScore(c *cli.Context) error {
	path, inputs := modelOf(c)
	inputs = append(inputs, c.StringSlice("input")...)
	switch {
	case path == "":
		return usagef(c, "MODEL is missing: name a run's folder or a file of weights")
	case len(inputs) == 0:
		return usagef(c, "INPUT is missing: name pictures, a folder of them or a safetensors file")
	}
	format, err := scoreFormat(c)
	if err != nil {
		return err
	}
	return withDevice(c, func(s *screen, dev backend.Device) error {
		m, err := openModel(c, dev, s, path)
		if err != nil {
			return err
		}
		in, err := openInput(inputs, m, s)
		if err != nil {
			return err
		}
		scores, err := m.Score(c.Context, in.n, in.fill, s.follow())
		if err != nil {
			return err
		}
		about := m.Subject(0)
		about.Data = strings.Join(inputs, ", ")
		return writeScores(c, format, scored{Subject: about, Protocol: scores.Protocol(), names: in.names, classes: m.Classes, scores: scores})
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
	case format == "safetensors" && !c.IsSet("out"):
		return "", usagef(c, "--out is missing: safetensors are not printed")
	}
	return format, nil
}

// openModel opens a run, checkpoint or file.
func openModel(c *cli.Context, dev backend.Device, s *screen, path string) (*predict.Predictor, error) {
	o, err := normOf(c)
	if err != nil {
		return nil, err
	}
	if isFolder(path) {
		run, folder := predict.RunOrCheckpoint(path)
		m, notes, err := predict.OpenRun(dev, run, folder)
		s.notes(notes)
		return m, err
	}
	m, err := predict.OpenFile(dev, path, o)
	if err == nil {
		n := m.Net().Config
		s.log.Info("opened", zap.String("model", path), zap.Int("depth", n.Depth), zap.Int("width", n.Width), zap.String("norm", n.Norm))
	}
	return m, err
}

// input is the images to score.
type input struct {
	n     int
	names []string // files; nil for a tensor's rows
	fill  func(dst []float32, lo int)
}

func openInput(paths []string, m *predict.Predictor, s *screen) (in input, err error) {
	ch, h, w := m.Shape()
	pixels := ch * h * w
	tensor := func(p string) bool { return strings.EqualFold(filepath.Ext(p), ".safetensors") }
	if slices.ContainsFunc(paths, tensor) {
		if len(paths) > 1 {
			return in, &fault.Error{Path: paths[slices.IndexFunc(paths, tensor)], Kind: fault.ErrBad, Reason: "a safetensors file is scored by itself: leave the other inputs out"}
		}
		x, notes, err := data.OpenTensor(paths[0], ch, h, w)
		s.notes(notes)
		return input{n: len(x) / pixels, fill: func(dst []float32, lo int) { copy(dst, x[lo*pixels:]) }}, err
	}
	set, names, notes, err := data.OpenPictures(paths, data.FolderOptions{Size: h, Grey: ch == 1})
	s.notes(notes)
	if err != nil {
		return in, err
	}
	return input{n: set.Len(), names: names, fill: func(dst []float32, lo int) {
		for i := range len(dst) / pixels {
			set.Scaled(dst[i*pixels:(i+1)*pixels], lo+i)
		}
	}}, nil
}
