package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/model"
	"jem/predict"
	"jem/predict/weights"
)

// What weights can't say.
var (
	normFlag = &cli.StringFlag{Name: "norm", Usage: "the network's norm (none, batch, instance, layer), for files whose weights don't tell"}
	sizeFlag = &cli.IntFlag{Name: "size", Usage: "height and width of the network's images in pixels, for files that don't tell"}
)

func convertCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "convert",
		Usage: "take weights from one format to another",
		Description: examples("IN is a run's folder, one of its checkpoints, or a file of weights; OUT is a file, or a\n"+
			"folder for a new run. Files are what their names end in:\n"+
			"  .pt .pth       PyTorch, as the official JEM code saves (load_state_dict(strict=True) takes it)\n"+
			"  .safetensors   the same names; IN may be the .safetensors.index.json of one in several parts\n"+
			"  .onnx          OUT only: logits, log-density and features of pixels in [0,1]\n"+
			"A run's averaged weights are taken where it has them, if --weights raw doesn't say otherwise. A file of OUT's name is replaced; a\n"+
			"folder must be new or empty.",
			"jem convert runs/first model.pt", "jem convert runs/first model.onnx", "jem convert model.safetensors runs/again", "jem convert model.pt runs/again --data-dir pictures"),
		Flags: append([]cli.Flag{
			normFlag, checkpointFlag, weightsFlag,
			&cli.BoolFlag{Name: "no-buffer", Usage: "leave the replay buffer out"},
			&cli.StringFlag{Name: "data", Usage: "for a new run: the data set that the network was trained on, where the file doesn't tell (jem data list; folder for your own pictures)"},
			&cli.StringFlag{Name: "data-dir", Usage: "for a new run: `FOLDER` of the published files, or of your own pictures"},
			jsonFlag,
		}, logFlags()...),
		Action: runConvert,
	}, "IN", "OUT")
}

func runConvert(c *cli.Context) error {
	in, out := c.Args().Get(0), c.Args().Get(1)
	if weights.IsFile(out) && !weights.Writes(out) || !weights.IsFile(out) && filepath.Ext(out) != "" && !isFolder(out) {
		return usagef(c, "%s: want OUT to end in %s, or a folder for a run", out, strings.Join(weights.Formats, ", "))
	}
	if weights.IsFile(out) && (c.IsSet("data") || c.IsSet("data-dir")) {
		return usagef(c, "%s: --data and --data-dir are for a new run, and OUT is a file", out)
	}
	if !weights.IsFile(out) {
		if err := rundir.Vacant(out); err != nil {
			return err
		}
	}
	o, err := optionsOf(c)
	if err != nil {
		return err
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	defer s.close()
	w, err := readWeights(c, s, in, o)
	if err != nil {
		return err
	}
	if c.Bool("no-buffer") {
		w.Buffer = nil
	}
	if err := writeWeights(c, s, w); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, newConversion(in, out, w))
	}
	printPlace(c, fmt.Sprintf("%s (%s)", out, newConversion(in, out, w)))
	return nil
}

// readWeights reads a file of weights, a run or a checkpoint.
func readWeights(c *cli.Context, s *screen, path string, o weights.Options) (*weights.Weights, error) {
	if c.IsSet("checkpoint") {
		run, folder, err := placeOf(c, path)
		if err != nil {
			return nil, err
		}
		if folder != "" {
			path = folder
		} else {
			path = run
		}
	}
	which, err := whichWeights(c)
	switch {
	case err != nil:
		return nil, err
	case which != predict.Usual && weights.IsFile(path):
		return nil, usagef(c, "--weights goes with a run: %s has one kind of them", path)
	}
	w, notes, err := predict.ReadWeights(path, which, o)
	s.notes(notes)
	return w, err
}

// writeWeights writes what OUT names.
func writeWeights(c *cli.Context, s *screen, w *weights.Weights) error {
	in, out := c.Args().Get(0), c.Args().Get(1)
	if weights.IsFile(out) {
		return w.Write(out)
	}
	notes, err := predict.WriteRun(out, w, predict.Origin{Data: c.String("data"), Dir: c.String("data-dir")})
	s.notes(notes)
	return fault.At(in, err)
}

// optionsOf is what --norm and --size say of the weights.
func optionsOf(c *cli.Context) (weights.Options, error) {
	norm := c.String("norm")
	if norm != "" && !slices.Contains(model.Norms, norm) {
		return weights.Options{}, usagef(c, "--norm %q: want %s", norm, strings.Join(model.Norms, ", "))
	}
	size := c.Int("size")
	if c.IsSet("size") && (size < 4 || size > data.MaxSide) {
		return weights.Options{}, usagef(c, "--size %d: want 4 to %d", size, data.MaxSide)
	}
	return weights.Options{Norm: norm, Size: size}, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// conversion says what was converted.
type conversion struct {
	In      string `json:"in"`
	Out     string `json:"out"`
	Network string `json:"network"`
	Depth   int    `json:"depth"`
	Width   int    `json:"width"`
	Classes int    `json:"classes"`
	Norm    string `json:"norm"`
	Buffer  int    `json:"replay_buffer"` // images
}

func newConversion(in, out string, w *weights.Weights) conversion {
	n := w.Config
	c := conversion{in, out, n.Kind(), n.Depth, n.Width, n.Classes, n.Norm, 0}
	if w.Buffer != nil && !strings.EqualFold(filepath.Ext(out), ".onnx") {
		c.Buffer = w.Buffer.Shape[0]
	}
	return c
}

func (c conversion) String() string {
	buffer := "no replay buffer"
	if c.Buffer > 0 {
		buffer = fmt.Sprintf("replay buffer of %d images", c.Buffer)
	}
	return fmt.Sprintf("%s, %d classes, norm %s, %s", model.Config{Network: c.Network, Depth: c.Depth, Width: c.Width}.Name(), c.Classes, c.Norm, buffer)
}
