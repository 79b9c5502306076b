package predict

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"jem/backend"
	"jem/config"
	"jem/config/settings"
	"jem/feed"
	"jem/internal/checkpoint"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/model"
)

// Predictor is the network of a checkpoint, ready to classify and to draw samples. It uses
// the averaged weights where the run has them.
type Predictor struct {
	Config     config.Config
	Checkpoint string   // folder
	Step       int      // training steps taken
	Classes    []string // names

	dev    backend.Device
	net    *model.WideResNet
	eval   *Evaluator
	buffer []float32 // (slots, C·H·W); nil where the run has no chains

	weights string // the hash that names them, see Subject
}

// OpenRun reads a run's configuration and loads its newest usable checkpoint, or the one in
// the folder named checkpoint if that isn't empty. Notes are sentences for the user.
func OpenRun(dev backend.Device, run, checkpointDir string) (*Predictor, []string, error) {
	cfg, c, notes, err := readRun(run, checkpointDir)
	if err != nil {
		return nil, notes, err
	}
	p := &Predictor{Config: cfg, Checkpoint: c.Path, Step: c.Step, dev: dev}
	return p, notes, p.build(c)
}

// readRun reads configuration and checkpoint as OpenRun says; an empty run is the one that the
// checkpoint lies in.
func readRun(run, checkpointDir string) (config.Config, *checkpoint.Checkpoint, []string, error) {
	if run == "" {
		run = filepath.Dir(filepath.Dir(checkpointDir)) // run/checkpoints/step-…
	}
	cfg, err := readConfig(rundir.Path(run))
	if err != nil {
		return cfg, nil, nil, err
	}
	c, notes, err := load(rundir.Path(run), checkpointDir)
	return cfg, c, notes, err
}

// RunConfig reads the configuration of a run folder. Errors: *fault.Error if it holds no run,
// *settings.Error.
func RunConfig(run string) (config.Config, error) { return readConfig(rundir.Path(run)) }

func readConfig(run rundir.Path) (config.Config, error) {
	if _, err := os.Stat(run.Config()); errors.Is(err, fs.ErrNotExist) {
		return config.Config{}, &fault.Error{Path: string(run), Kind: fault.ErrMissing, Reason: "is no run folder: it has no config.yaml"}
	}
	layer, err := settings.File(run.Config())
	if err != nil {
		return config.Config{}, err
	}
	return config.Load("", layer)
}

func load(run rundir.Path, folder string) (*checkpoint.Checkpoint, []string, error) {
	if folder != "" {
		c, err := checkpoint.Load(folder)
		return c, nil, err
	}
	c, damaged, err := checkpoint.Latest(run.Checkpoints())
	var notes []string
	for _, d := range damaged {
		notes = append(notes, "skipped a damaged checkpoint: "+d.Error())
	}
	return c, notes, err
}

// build makes the network, whose number of classes and channels are those of its weights.
func (p *Predictor) build(c *checkpoint.Checkpoint) error {
	sizes, err := shapes(c)
	if err != nil {
		return err
	}
	if side := p.Config.Data.Size; side > 0 {
		sizes.side = side
	}
	m := p.Config.Model
	p.net, err = model.New(p.dev, model.Config{
		Depth: m.Depth, Width: m.Width, Norm: m.Norm, Dropout: m.Dropout, Slope: m.Slope,
		Classes: sizes.classes, InC: sizes.channels, Size: sizes.side,
	}, feed.EvalBatch, p.Config.Seed)
	if err != nil {
		return err
	}
	weights := "model"
	if p.Config.Optim.EMA > 0 {
		weights = "ema"
	}
	if err := Upload(p.dev, p.parameters(), c.Files[weights]); err != nil {
		return fmt.Errorf("%s: %s.safetensors: %w", c.Path, weights, err)
	}
	if err := Upload(p.dev, p.stats(), c.Files["model"]); err != nil {
		return fmt.Errorf("%s: model.safetensors: %w", c.Path, err)
	}
	p.dev.ParamsChanged()
	p.eval, p.buffer, p.Classes = NewEvaluator(p.dev, p.net), sizes.buffer, classNames(p.Config.Data, sizes.classes)
	return p.identify()
}

// classNames are those of a published data set, or of a folder of pictures that is still there;
// else numbers.
func classNames(d config.Data, n int) []string {
	if l, err := data.Lookup(d.Name); err == nil && len(l.Classes) == n {
		return l.Classes
	}
	if names, err := data.FolderClasses(d.Dir); d.Name == data.Folder && err == nil && len(names) == n {
		return names
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}

func (p *Predictor) parameters() (list []Named) {
	for _, q := range p.net.Params.List {
		list = append(list, Named{q.Name, q.Value})
	}
	return list
}

func (p *Predictor) stats() (list []Named) {
	for _, s := range p.net.Stats {
		list = append(list, Named{s.Name, s.Value})
	}
	return list
}

// sizes are what a checkpoint's tensors say about its network.
type sizes struct {
	classes, channels, side int
	buffer                  []float32
}

func shapes(c *checkpoint.Checkpoint) (s sizes, err error) {
	s.side = 32
	pixels := 0
	for file, tensors := range c.Files {
		for _, t := range tensors {
			switch {
			case file == "model" && t.Name == "class_output.weight" && len(t.Shape) == 2:
				s.classes = t.Shape[0]
			case file == "model" && t.Name == "f.conv1.weight" && len(t.Shape) == 4:
				s.channels = t.Shape[1]
			case t.Name == BufferTensor && len(t.Shape) == 2:
				s.buffer, pixels = t.F32, t.Shape[1]
			}
		}
	}
	if s.classes == 0 || s.channels == 0 {
		return s, &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: "model.safetensors holds no network of this program"}
	}
	if pixels > 0 {
		s.side = int(math.Round(math.Sqrt(float64(pixels / s.channels))))
	}
	return s, nil
}

// Device is what the network runs on.
func (p *Predictor) Device() backend.Device { return p.dev }

// Net is the network.
func (p *Predictor) Net() *model.WideResNet { return p.net }

// Buffer are the chains of the replay buffer (slots, C·H·W); nil where there is none.
func (p *Predictor) Buffer() []float32 { return p.buffer }

// Batch is where images are put, and their logits found.
func (p *Predictor) Batch() *Evaluator { return p.eval }
