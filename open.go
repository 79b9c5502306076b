package jem

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"

	"jem/backend"
	"jem/backend/cpu"
	"jem/internal/sysmem"
	"jem/predict"
	"jem/predict/weights"
)

// ErrClosed is what a Model answers after Close.
var ErrClosed = errors.New("the model is closed")

// Model is a trained network that answers. It is safe for use by several goroutines.
type Model struct {
	turn     chan struct{} // holds one while nobody uses what follows
	dev      backend.Device
	p        *predict.Predictor
	answerer *predict.Answerer
	closed   bool
	asked    predict.Asked
	notes    []string
}

// Option says how a model is opened.
type Option func(*opening)

type opening struct {
	checkpoint string
	threads    int
	asked      predict.Asked
	options    []predict.Option
}

// Threads has so many threads compute; without it, as many as the process may use. Answers don't depend on it.
func Threads(n int) Option { return func(o *opening) { o.threads = n } }

// Checkpoint opens one of a run's checkpoints: "best", of the evaluations during training, or the number of a step as
// in "1500"; without it, or "latest", the newest that is whole.
func Checkpoint(name string) Option { return func(o *opening) { o.checkpoint = name } }

// RawWeights opens a run with its weights as the last step left them, not their moving average, which is
// taken otherwise where the run has one.
func RawWeights() Option {
	return func(o *opening) { o.options = append(o.options, predict.Using(predict.Raw)) }
}

// AtMost says that the caller gives no more than so many images at once: where memory is short for
// large images, less will do. More are scored and drawn a few at a time; of those drawn all but the first few have other noise.
func AtMost(images int) Option {
	return func(o *opening) { o.options = append(o.options, predict.AtMost(images)) }
}

// ApproxMass has scores carry the approximate mass, which takes a backward pass: some three times as long.
func ApproxMass() Option { return func(o *opening) { o.asked.Mass = true } }

// Open opens the model of a run's folder, of one of its checkpoints' folders, or of a file of weights: .safetensors, or .pt
// and .pth as PyTorch writes them. The error is one sentence that names the file and what is wrong with it.
func Open(path string, options ...Option) (*Model, error) {
	o := opening{}
	for _, set := range options {
		set(&o)
	}
	threads, _ := sysmem.Processors()
	dev, err := cpu.Open(cpu.Options{Threads: cmp.Or(o.threads, threads)})
	if err != nil {
		return nil, err
	}
	p, notes, err := o.open(dev, path)
	if err != nil {
		dev.Close()
		return nil, err
	}
	m := &Model{turn: make(chan struct{}, 1), dev: dev, p: p, answerer: predict.NewAnswerer(p), asked: o.asked, notes: notes}
	m.turn <- struct{}{}
	return m, nil
}

func (o *opening) open(dev backend.Device, path string) (*predict.Predictor, []string, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		if err == nil && o.checkpoint != "" {
			return nil, nil, errors.New(path + " is a file of weights: of checkpoints only a run has several")
		}
		return predict.OpenFile(dev, path, weights.Options{}, o.options...)
	}
	run, folder := predict.RunOrCheckpoint(path)
	if o.checkpoint != "" {
		if folder != "" {
			return nil, nil, errors.New(path + " is a checkpoint already: name its run, or no checkpoint")
		}
		if !predict.IsCheckpointName(o.checkpoint) {
			return nil, nil, errors.New("checkpoint " + o.checkpoint + ": want latest, best or a step's number")
		}
		var err error
		if folder, err = predict.ChosenCheckpoint(run, o.checkpoint); err != nil {
			return nil, nil, err
		}
	}
	return predict.OpenRun(dev, run, folder, o.options...)
}

// Classes are the names of the classes, in the order of the logits.
func (m *Model) Classes() []string { return slices.Clone(m.p.Classes) }

// Shape is that of the images which the network takes: channels (1 grey, 3 RGB), height and width.
func (m *Model) Shape() (c, h, w int) { return m.p.Shape() }

// Notes are sentences on what was decided in opening the file, for a person to read.
func (m *Model) Notes() []string { return slices.Clone(m.notes) }

// Close gives memory and threads back, when nobody uses the model any more. Calls after it, a second Close
// included, answer ErrClosed.
func (m *Model) Close() error {
	return m.use(context.Background(), func() error {
		m.closed = true
		m.answerer.Close()
		return m.dev.Close()
	})
}

// use waits for the caller's turn, or for the end of ctx.
func (m *Model) use(ctx context.Context, do func() error) error {
	select {
	case <-m.turn:
		defer func() { m.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if m.closed {
		return ErrClosed
	}
	return do()
}
