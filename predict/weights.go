package predict

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/backend"
	"jem/config"
	"jem/feed"
	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/model"
	"jem/predict/weights"
)

// RunWeights reads the weights of a run as OpenRun does, the averaged ones where the run has
// them, with its replay buffer. It needs no device.
func RunWeights(run, checkpointDir string) (*weights.Weights, []string, error) {
	s, notes, err := readRun(run, checkpointDir)
	if err != nil {
		return nil, notes, err
	}
	o := weights.Options{Norm: s.config.Model.Norm, Slope: s.config.Model.Slope, Size: s.sizes.side}
	w, err := weights.New(s.state.Path, s.averaged(), s.sizes.images(), o)
	return w, notes, err
}

// ReadWeights reads a file of weights, or as RunWeights does a run's or a checkpoint's folder.
func ReadWeights(path string, o weights.Options) (*weights.Weights, []string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return RunWeights(RunOrCheckpoint(path))
	}
	if !weights.IsFile(path) {
		return nil, nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "is neither a file of weights (" + strings.Join(weights.Formats, ", ") + ") nor a run's folder"}
	}
	w, err := weights.Read(path, o)
	return w, nil, err
}

// images is the replay buffer as (slots,C,H,W).
func (s *sizes) images() *checkpoint.Tensor {
	if s.buffer == nil {
		return nil
	}
	slots := len(s.buffer) / (s.channels * s.side * s.side)
	return &checkpoint.Tensor{Name: BufferTensor, Shape: []int{slots, s.channels, s.side, s.side}, F32: s.buffer}
}

// OpenFile loads a network from a file that package weights reads. What the file doesn't say
// (sampler, data set) is as published.
func OpenFile(dev backend.Device, path string, o weights.Options) (*Predictor, error) {
	w, err := weights.Read(path, o)
	if err != nil {
		return nil, err
	}
	cfg, err := imported(w)
	if err != nil {
		cfg.Data.Name = "" // other classes or images than a published set's: they have no names
	}
	p := &Predictor{Config: cfg, Checkpoint: path, facts: factsOf(cfg, w.Config), dev: dev}
	if p.net, err = model.New(dev, w.Config, feed.EvalBatch, cfg.Seed); err != nil {
		return nil, err
	}
	if w.Buffer != nil {
		p.buffer = w.Buffer.F32
	}
	p.eval, p.Classes = NewEvaluator(dev, p.net), p.facts.Classes
	if err := w.Upload(dev, p.net); err != nil {
		return nil, err
	}
	return p, p.identify()
}

// imported is the configuration of weights from elsewhere: as published, with their network
// and the published data set that has their classes and images.
func imported(w *weights.Weights) (config.Config, error) {
	c, n := config.Default(), w.Config
	c.Model.Depth, c.Model.Width, c.Model.Norm, c.Model.Slope = n.Depth, n.Width, n.Norm, n.Slope
	if w.Buffer != nil {
		c.Sampler.Buffer = w.Buffer.Shape[0]
	}
	switch [3]int{n.Classes, n.InC, n.Size} {
	case [3]int{10, 3, 32}:
		c.Data.Name = "cifar10"
	case [3]int{100, 3, 32}:
		c.Data.Name = "cifar100"
	default:
		return c, fmt.Errorf("a run has a data set, and none that is published has %d classes of %d×%d images with %d channels", n.Classes, n.Size, n.Size, n.InC)
	}
	return c, nil
}

// factsOf is what weights from elsewhere tell of the images that they were trained on.
func factsOf(c config.Config, n model.Config) feed.Facts {
	return feed.Facts{Data: c.Data.Name, Classes: classNames(c.Data, n.Classes), Channels: n.InC, Size: n.Size}
}

// untrained is the state.json of weights from elsewhere: a run of which no step was taken here.
const untrained = `{"step":0,"reseed":0,"baseline":{"steps":0,"mean":0,"variance":0},"best_step":0,"best":0,"last":{"split":"","images":0,"accuracy":0,"loss":0,"log_px":0,"noise":0,"ema":false}}`

// WriteRun makes a run folder of weights from elsewhere, for evaluation and for sampling from
// their replay buffer. They have no optimiser state, so the run can't be resumed.
func WriteRun(folder string, w *weights.Weights) (err error) {
	cfg, err := imported(w)
	if err != nil {
		return &fault.Error{Path: folder, Kind: fault.ErrBad, Reason: err.Error()}
	}
	text, err := config.Document(cfg)
	if err != nil {
		return err
	}
	facts, err := factsOf(cfg, w.Config).Document()
	if err != nil {
		return err
	}
	dir, err := rundir.Create(folder, []byte(text), facts, rundir.Environment("none: the weights are imported"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	store, err := checkpoint.Open(dir.Checkpoints())
	if err != nil {
		return err
	}
	_, err = store.Save(0, checkpointFiles(w), []byte(untrained))
	return err
}

// checkpointFiles are the tensors of a checkpoint that only predicts.
func checkpointFiles(w *weights.Weights) map[string][]checkpoint.Tensor {
	f := map[string][]checkpoint.Tensor{"model": append(slices.Clone(w.Params), w.Stats...)}
	if b := w.Buffer; b != nil {
		pixels := b.Shape[1] * b.Shape[2] * b.Shape[3]
		f["buffer.rank000"] = []checkpoint.Tensor{{Name: BufferTensor, Shape: []int{b.Shape[0], pixels}, F32: b.F32}}
	}
	return f
}

// RunOrCheckpoint returns the path of a folder as one or the other: that of a checkpoint is named
// as a run names them.
func RunOrCheckpoint(path string) (run, checkpoint string) {
	path = filepath.Clean(path)
	if strings.HasPrefix(filepath.Base(path), "step-") {
		return "", path
	}
	return path, ""
}
