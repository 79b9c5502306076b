package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/predict"
	"jem/predict/weights"
)

// modelFlag says what the argument MODEL says.
func modelFlag(what string) cli.Flag {
	return &cli.StringFlag{Name: "model", Aliases: []string{"m", "run"}, Usage: "what the argument MODEL says: " + what}
}

// checkpointFlag says which of a run's checkpoints.
var checkpointFlag = &cli.StringFlag{Name: "checkpoint", Usage: "of the run that MODEL names: latest, best (of the evaluations during training, by train.best) or a step's number; or, without MODEL, a checkpoint's `FOLDER`"}

// weightsFlag says which of a run's weights.
var weightsFlag = &cli.StringFlag{Name: "weights", Usage: "of a run: ema (averaged over the steps of training) or raw (as the last step left them); default: ema where the run has them"}

// weightsKinds are what it takes.
var weightsKinds = []string{string(predict.EMA), string(predict.Raw)}

// whichWeights are those that a command line asks for.
func whichWeights(c *cli.Context) (predict.Which, error) {
	if which := c.String(weightsFlag.Name); which != "" && !slices.Contains(weightsKinds, which) {
		return "", usagef(c, "--weights %q: want %s", which, strings.Join(weightsKinds, " or "))
	}
	return predict.Which(c.String(weightsFlag.Name)), nil
}

// placeOf is the run, or the checkpoint of one, that a command line names by a path and by --checkpoint.
func placeOf(c *cli.Context, path string) (run, folder string, err error) {
	name := c.String("checkpoint")
	switch named := predict.IsCheckpointName(name); {
	case path == "" && name == "":
		return "", "", usagef(c, "name the model, as in %s runs/first", c.Command.HelpName)
	case path != "" && name != "" && !named:
		return "", "", usagef(c, "--checkpoint %s: want latest, best or a step's number; or a checkpoint's folder alone, without %s", name, path)
	case path == "" && named:
		return "", "", usagef(c, "--checkpoint %s of which run? name it, as in %s runs/first --checkpoint %s", name, c.Command.HelpName, name)
	case path == "":
		return "", name, nil
	}
	run, folder = predict.RunOrCheckpoint(path)
	if name != "" && folder != "" {
		return "", "", usagef(c, "%s is a checkpoint already: leave --checkpoint %s out, or name its run", path, name)
	}
	if name != "" {
		folder, err = predict.ChosenCheckpoint(run, name)
	}
	return run, folder, err
}

// runFlags are those of commands that read a finished run.
func runFlags() []cli.Flag {
	return append([]cli.Flag{
		modelFlag("a run's or a checkpoint's `FOLDER`; of a run the newest checkpoint is used"),
		checkpointFlag,
		weightsFlag,
		dataDirFlag,
		skipBadFlag,
	}, append(deviceFlags(), logFlags()...)...)
}

// withDevice opens the screen and the device that a command's deviceFlags and logFlags say.
func withDevice(c *cli.Context, do func(*screen, backend.Device) error) error {
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	defer s.close()
	dev, err := openDevice(deviceOf(c))
	if err != nil {
		return err
	}
	defer dev.Close()
	return do(s, dev)
}

// withRun opens the device and the run that a command's runFlags name.
func withRun(c *cli.Context, do func(*screen, *predict.Predictor) error) error {
	return withRuns(c, func(s *screen, _ backend.Device, m *predict.Predictor) error { return do(s, m) })
}

// withRuns is withRun for those who want to open another on the same device.
func withRuns(c *cli.Context, do func(*screen, backend.Device, *predict.Predictor) error) error {
	path, others := modelOf(c)
	switch {
	case len(others) > 0:
		return usagef(c, "unexpected argument %q", others[0])
	case weights.IsFile(path):
		return usagef(c, "%s: is a file of weights: jem convert %s FOLDER makes a run of it", path, path)
	}
	run, folder, err := placeOf(c, path)
	if err != nil {
		return err
	}
	return withDevice(c, func(s *screen, dev backend.Device) error {
		m, err := openRun(c, s, dev, run, folder)
		if err != nil {
			return err
		}
		return do(s, dev, m)
	})
}

// modelOf is the model that a command line names, as its first argument or by --model, and the
// other arguments.
func modelOf(c *cli.Context) (path string, others []string) {
	others = c.Args().Slice()
	switch {
	case c.IsSet("model"):
		return c.String("model"), others
	case len(others) == 0:
		return "", nil
	}
	return others[0], others[1:]
}

// soleModel is the model of a command that takes nothing else; empty where --checkpoint names it.
func soleModel(c *cli.Context) (path string, err error) {
	path, others := modelOf(c)
	switch {
	case modelMissing(c, path):
		return "", errModelMissing(c)
	case len(others) > 0:
		return "", usagef(c, "unexpected argument %q", others[0])
	}
	return path, nil
}

// modelMissing reports whether a command line names no model, be it by a path or by --checkpoint.
func modelMissing(c *cli.Context, path string) bool {
	return path == "" && !c.IsSet(checkpointFlag.Name)
}

func errModelMissing(c *cli.Context) error {
	return usagef(c, "MODEL is missing: name a run's folder or a file of weights")
}

// openRun opens a run's newest checkpoint, or the one named.
func openRun(c *cli.Context, s *screen, dev backend.Device, run, checkpoint string) (*predict.Predictor, error) {
	which, err := whichWeights(c)
	if err != nil {
		return nil, err
	}
	m, err := openFolder(s, dev, run, checkpoint, predict.Using(which))
	if err != nil {
		return nil, err
	}
	if c.IsSet("data-dir") {
		m.Config.Data.Dir = c.String("data-dir")
	}
	m.Config.Data.SkipBad = m.Config.Data.SkipBad || c.Bool(skipBadFlag.Name)
	return m, nil
}

// openFolder opens a run's newest checkpoint, or the one in a folder.
func openFolder(s *screen, dev backend.Device, run, checkpoint string, o ...predict.Option) (*predict.Predictor, error) {
	m, notes, err := predict.OpenRun(dev, run, checkpoint, o...)
	return m, s.opened(m, notes, err)
}

// openFile opens a file of weights.
func openFile(s *screen, dev backend.Device, path string, o weights.Options, options ...predict.Option) (*predict.Predictor, error) {
	m, notes, err := predict.OpenFile(dev, path, o, options...)
	return m, s.opened(m, notes, err)
}

// opened logs which network was opened, and what is to be said of it.
func (s *screen) opened(m *predict.Predictor, notes []string, err error) error {
	s.notes(notes)
	if err != nil {
		return err
	}
	n := m.Net().Config
	s.log.Info("opened", zap.String("checkpoint", m.Checkpoint), zap.Int("step", m.Step), zap.Bool("averaged", m.Averaged()), zap.String("network", n.Name()),
		zap.String("norm", n.Norm), zap.Int("classes", n.Classes), zap.Int("channels", n.InC), zap.Int("size", n.Size), zap.String("device", m.Device().Name()))
	return nil
}

// notes logs sentences for the user, each once, however many parts of a command come upon the same.
func (s *screen) notes(all []string) {
	for _, n := range all {
		if s.first(n) {
			s.log.Warn(escape(n))
		}
	}
}

// first reports whether a note hasn't been said yet.
func (s *screen) first(note string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted == nil {
		s.noted = map[string]bool{}
	}
	said := s.noted[note]
	s.noted[note] = true
	return !said
}

// follow follows sets of images that run through the network, each with a progress bar.
func (s *screen) follow() predict.Watch {
	running := ""
	return func(about string, done, total int) {
		if about != running || done == 0 {
			s.close()
			s.start(int64(total))
			running = about
		}
		s.set(int64(done), escape(about))
		if done >= total {
			s.close()
			running = ""
		}
	}
}

// classNamed is the class that a user names or numbers, or −1. A number comes before a name.
func classNamed(m *predict.Predictor, name string) int {
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(m.Classes) {
		return i
	}
	return slices.Index(m.Classes, name)
}
