package predict

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/config"
	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/predict/weights"
)

// RunWeights reads those weights of a run as OpenRun does, with its replay buffer. It needs no device.
func RunWeights(run, checkpointDir string, which Which) (*weights.Weights, []string, error) {
	s, notes, err := readRun(run, checkpointDir)
	if err != nil {
		return nil, notes, err
	}
	w, err := s.weights(which)
	return w, notes, err
}

// ReadWeights reads a file of weights, or as RunWeights does those of a run's or a checkpoint's folder.
func ReadWeights(path string, which Which, o weights.Options) (*weights.Weights, []string, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file of weights or run"}
	case err == nil && info.IsDir():
		run, folder := RunOrCheckpoint(path)
		return RunWeights(run, folder, which)
	}
	if !weights.IsFile(path) {
		return nil, nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "is neither a file of weights (" + strings.Join(weights.Formats, ", ") + ") nor a run's folder"}
	}
	w, err := weights.Read(path, o)
	if err != nil {
		return nil, nil, err
	}
	return w, at(path, w.Notes), nil
}

// at puts the file before each of a reader's notes.
func at(path string, notes []string) (all []string) {
	for _, n := range notes {
		all = append(all, fault.Printable(path)+": "+n)
	}
	return all
}

// images is the replay buffer as (slots,C,H,W).
func (s *sizes) images() *checkpoint.Tensor {
	if s.buffer == nil {
		return nil
	}
	slots := len(s.buffer) / (s.channels * s.side * s.side)
	return &checkpoint.Tensor{Name: BufferTensor, Shape: []int{slots, s.channels, s.side, s.side}, F32: s.buffer}
}

// untrained is the state.json of weights from elsewhere: a run of which no step was taken here.
const untrained = `{"step":0,"reseed":0,"baseline":{"steps":0,"mean":0,"variance":0},"best_step":0,"best":0,"last":{"split":"","images":0,"accuracy":0,"loss":0,"log_px":0,"noise":0,"ema":false,"mean_confidence":0,"ece":0}}`

// WriteRun makes a run folder of weights from elsewhere, for evaluation and for sampling from
// their replay buffer. They have no optimiser state, so the run can't be resumed. Notes are sentences for
// the user.
func WriteRun(folder string, w *weights.Weights, o Origin) (notes []string, err error) {
	cfg, known, notes, err := imported(w, o)
	if err != nil {
		return nil, &fault.Error{Kind: fault.ErrBad, Reason: err.Error()}
	}
	text, err := config.Document(cfg)
	if err != nil {
		return nil, err
	}
	facts, err := known.Document()
	if err != nil {
		return nil, err
	}
	return notes, writeRun(folder, w, []byte(text), facts)
}

func writeRun(folder string, w *weights.Weights, config, facts []byte) (err error) {
	dir, err := rundir.Create(folder, config, facts, rundir.Environment("none: the weights are imported"))
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
