package train

import (
	"encoding/json"
	"fmt"

	"jem/backend"
	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/predict"
)

// All state of a run is here: the tensors of four files and Progress. What else a trainer
// holds follows from the configuration.

// files lists the state's tensors by checkpoint file. Names in model and ema are those of the
// official state dict.
func (t *Trainer) files() map[string][]predict.Named {
	p := t.step.Net.Params
	f := map[string][]predict.Named{"model": views(t, p.Value)}
	for _, s := range t.step.Net.Stats {
		f["model"] = append(f["model"], predict.Named{Name: s.Name, Value: s.Value})
	}
	if t.step.EMA != nil {
		f["ema"] = views(t, t.step.EMA.Value)
	}
	for _, s := range t.step.Optimizer.State() {
		f["optim"] = append(f["optim"], predict.Named{Name: s.Name, Value: s.Value})
	}
	if t.step.Buffer != nil {
		f["buffer.rank000"] = []predict.Named{{Name: predict.BufferTensor, Value: t.step.Buffer.Images}}
	}
	return f
}

// views names the parts of a flat tensor as the parameters are named.
func views(t *Trainer, flat backend.Tensor) []predict.Named {
	var out []predict.Named
	for _, p := range t.step.Net.Params.List {
		out = append(out, predict.Named{Name: p.Name, Value: t.dev.View(flat, p.Offset, p.Shape...)})
	}
	return out
}

// state is state.json: the progress, what it was computed with, and what the run's keeper
// has to remember with it.
type state struct {
	Progress
	Numerics *Numerics       `json:"numerics,omitempty"` // absent in imported weights
	Keeper   json.RawMessage `json:"keeper,omitempty"`
}

// Save writes the run's state as a checkpoint of the store and returns its folder. keeper,
// which may be nil, is JSON that KeeperState gives back.
func (t *Trainer) Save(s *checkpoint.Store, keeper json.RawMessage) (string, error) {
	n := NumericsOf(t.dev)
	text, err := json.MarshalIndent(state{t.progress, &n, keeper}, "", "  ")
	if err != nil {
		return "", err
	}
	files := map[string][]checkpoint.Tensor{}
	for file, list := range t.files() {
		for _, n := range list {
			files[file] = append(files[file], checkpoint.Tensor{
				Name: n.Name, Shape: n.Value.Shape(),
				Fill: func(dst []float32) error { return t.dev.Download(dst, n.Value) },
			})
		}
	}
	return s.Save(t.progress.Step, files, text)
}

// Restore puts the trainer into the state of a checkpoint. On an error the trainer must not be
// used.
func (t *Trainer) Restore(c *checkpoint.Checkpoint) error {
	s, err := readState(c)
	if err != nil {
		return err
	}
	t.progress = s.Progress
	if len(t.step.Optimizer.State()) > 0 && c.Files["optim"] == nil {
		return &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: "has no optimiser state, as imported weights have none: they can be evaluated, sampled and scored, not trained on"}
	}
	for file, list := range t.files() {
		if err := predict.Upload(t.dev, list, c.Files[file]); err != nil {
			return fmt.Errorf("%s: %s.safetensors: %w", c.Path, file, err)
		}
	}
	t.saved = mark{t.progress.Step, t.progress.Stage, len(t.progress.Rollbacks), true}
	t.dev.ParamsChanged()
	return t.dev.Sync()
}

// KeeperState is the JSON that was given to Save; nil if there was none.
func KeeperState(c *checkpoint.Checkpoint) (json.RawMessage, error) {
	s, err := readState(c)
	return s.Keeper, err
}

func readState(c *checkpoint.Checkpoint) (s state, err error) {
	if err := json.Unmarshal(c.State, &s); err != nil {
		return s, fmt.Errorf("%s: state.json: %w", c.Path, err)
	}
	return s, nil
}
