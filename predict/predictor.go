package predict

import (
	"jem/backend"
	"jem/config"
	"jem/feed"
	"jem/model"
	"jem/predict/weights"
)

// Predictor is the network of a checkpoint, ready to classify and to draw samples. It uses
// the averaged weights where the run has them, if it isn't opened Using others.
type Predictor struct {
	Config     config.Config
	Checkpoint string   // folder
	Step       int      // training steps taken
	Classes    []string // names, in the order of the logits

	facts  feed.Facts // of the images that it was trained on, as far as they are known
	dev    backend.Device
	net    *model.Network
	eval   *Evaluator
	buffer []float32 // (slots, C·H·W); nil where the run has no chains

	which   Which
	ema     bool       // the weights are averaged ones
	most    int        // images at once; 0: feed.EvalBatch
	spare   *Predictor // see Into
	weights string     // the hash that names them, see Subject
}

// OpenRun reads a run's configuration and loads its newest usable checkpoint, or the one in
// the folder named checkpoint if that isn't empty. Notes are sentences for the user. A network that there
// is no memory for is a *settings.Error.
func OpenRun(dev backend.Device, run, checkpointDir string, o ...Option) (*Predictor, []string, error) {
	s, notes, err := readRun(run, checkpointDir)
	if err != nil {
		return nil, notes, err
	}
	p := &Predictor{Config: s.config, Checkpoint: s.state.Path, Step: s.state.Step, facts: s.facts, dev: dev}
	p.apply(o)
	w, err := s.weights(p.which)
	if err != nil {
		return nil, notes, err
	}
	p.ema = w.About.Averaged
	return p, notes, p.load(w)
}

// Of is a network that no file is known of, planned for feed.EvalBatch images.
func Of(dev backend.Device, net *model.Network, classes []string) *Predictor {
	return &Predictor{Config: config.Default(), Classes: classes, dev: dev, net: net, eval: NewEvaluator(dev, net)}
}

func (p *Predictor) apply(options []Option) {
	for _, o := range options {
		o(p)
	}
}

// load makes the network of weights.
func (p *Predictor) load(w *weights.Weights) error {
	rows, err := p.rows(w.Config)
	if err != nil {
		return err
	}
	if s := p.spare; s != nil && s.dev == p.dev && s.net.Config == w.Config && s.eval.rows == rows {
		p.net, p.eval = s.net, s.eval
	} else {
		if p.net, err = model.New(p.dev, w.Config, rows, p.Config.Seed); err != nil {
			return err
		}
		p.eval = newEvaluator(p.dev, p.net, rows)
	}
	p.spare, p.Classes, p.weights = nil, p.facts.Names(), w.Digest()
	if w.Buffer != nil {
		p.buffer = w.Buffer.F32
	}
	return w.Upload(p.dev, p.net)
}

// Device is what the network runs on.
func (p *Predictor) Device() backend.Device { return p.dev }

// Averaged reports whether its weights are averaged ones.
func (p *Predictor) Averaged() bool { return p.ema }

// Net is the network.
func (p *Predictor) Net() *model.Network { return p.net }

// Buffer are the chains of the replay buffer (slots, C·H·W); nil where there is none.
func (p *Predictor) Buffer() []float32 { return p.buffer }

// Batch is where images are put, and their logits found.
func (p *Predictor) Batch() *Evaluator { return p.eval }

// Subject describes the network, and that images carry noise of the given std.
func (p *Predictor) Subject(noise float32) Subject {
	outliers := ""
	if o := p.facts.Outliers; o != nil {
		outliers = o.Name
	}
	return Subject{
		Checkpoint: p.Checkpoint, Step: p.Step, Weights: p.weights, EMA: p.ema, Data: p.Config.Data.Name, Outliers: outliers,
		Noise: noise, Device: p.dev.Name(), Precision: p.precision(), Seed: p.Config.Seed,
	}
}

// precision is that of the device's convolutions, float32 unless it says otherwise.
func (p *Predictor) precision() string {
	if d, ok := p.dev.(interface{ Precision() string }); ok {
		return d.Precision()
	}
	return "float32"
}

// Source is where the run's images come from. What is read from it fits the network, and is labelled
// with the numbers of its classes.
func (p *Predictor) Source() feed.Source { return feed.Source{Config: p.Config, Facts: p.facts} }

// Noise is the std of the noise that the run adds at evaluation.
func (p *Predictor) Noise() float32 { return p.Config.Data.EvaluationNoise() }

// Shape is that of the images which the model takes: channels, height, width.
func (p *Predictor) Shape() (c, h, w int) {
	n := p.net.Config
	return n.InC, n.Size, n.Size
}

// AtOnce is the number of images that may go through the network at once.
func (p *Predictor) AtOnce() int { return p.eval.rows }

// Features is the number of features of an image.
func (p *Predictor) Features() int { return p.net.Config.Features() }
