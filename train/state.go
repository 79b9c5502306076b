package train

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"jem/backend"
	"jem/config"
	"jem/config/settings"
	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/optim"
	"jem/predict"
	"jem/train/step"
)

// All state of a run is here: the tensors of four files and Progress. What else a trainer
// holds follows from the configuration.

// bufferFile is the replay buffer's.
const bufferFile = "buffer.rank000"

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
		f[bufferFile] = []predict.Named{{Name: predict.BufferTensor, Value: t.step.Buffer.Images}}
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

// Restore puts the trainer into the state of a checkpoint. On an error the trainer must not be
// used. Errors: a *settings.Error where the configuration is of another run, a *fault.Error where
// the checkpoint is none of a run.
func (t *Trainer) Restore(c *checkpoint.Checkpoint) error {
	s, err := readState(c)
	if err == nil {
		err = t.fits(c, s)
	}
	if err != nil {
		return err
	}
	t.progress = s.Progress
	t.step.SetCurricula(s.Curricula)
	for file, list := range t.files() {
		if err := predict.Upload(t.dev, list, c, file); err != nil {
			return err
		}
	}
	t.saved = t.progress.mark()
	t.dev.ParamsChanged()
	return t.dev.Sync()
}

// fits looks for what the trainer's configuration wants otherwise than the checkpoint has it.
func (t *Trainer) fits(c *checkpoint.Checkpoint, s state) error {
	if err := predict.Fits(c, t.cfg); err != nil {
		return err
	}
	if len(t.step.Optimizer.State()) > 0 && c.Files["optim"] == nil {
		return &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: "has no optimiser state, as weights from elsewhere have none: a new run can begin with them (--init), none goes on"}
	}
	var faults []settings.Fault
	differ := func(path string, asked, have any) {
		faults = append(faults, settings.Fault{Path: path, Problem: fmt.Sprintf("%v, but %s is of a run with %v: config.yaml must say so", asked, c.Path, have)})
	}
	if t.cfg.Optim.EMA == 0 && c.Files["ema"] != nil {
		differ("optim.ema", 0, "averaged weights")
	}
	for _, other := range optim.Names {
		of := func(tensor checkpoint.Tensor) bool { return strings.HasPrefix(tensor.Name, other+".") }
		if other != t.cfg.Optim.Name && slices.ContainsFunc(c.Files["optim"], of) {
			differ("optim.name", t.cfg.Optim.Name, other)
		}
	}
	grown := func(name string, n config.Negative) {
		if moves := s.Curricula[name].Steps; n.MaxSteps > 0 && moves > n.MaxSteps {
			differ(name+".max_steps", n.MaxSteps, fmt.Sprintf("%d moves", moves))
		}
	}
	grown("attack", t.cfg.Attack)
	grown("dream", t.cfg.Dream)
	for _, b := range c.Files[bufferFile] {
		if slots := t.cfg.Sampler.Buffer; t.step.Buffer != nil && b.Name == predict.BufferTensor && len(b.Shape) == 2 && b.Shape[0] != slots && b.Shape[1] == t.step.Buffer.Images.Shape()[1] {
			differ("sampler.buffer", slots, b.Shape[0])
		}
	}
	if len(faults) > 0 {
		return &settings.Error{Faults: faults}
	}
	return nil
}

// KeeperState is the JSON that was given to Snapshot; nil if there was none.
func KeeperState(c *checkpoint.Checkpoint) (json.RawMessage, error) {
	s, err := readState(c)
	return s.Keeper, err
}

// stateFile is the name of a checkpoint's state, for messages.
const stateFile = "state.json"

// Usable is a checkpoint.Usable: the state is one that a trainer can be put into.
func Usable(c *checkpoint.Checkpoint) error {
	_, err := readState(c)
	return err
}

// readState reads state.json. Errors: a *fault.Error.
func readState(c *checkpoint.Checkpoint) (s state, err error) {
	path := filepath.Join(c.Path, stateFile)
	if err := json.Unmarshal(c.State, &s); err != nil {
		return s, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "is not the state of a run", Err: plain(err)}
	}
	if problem := s.Progress.wrong(c.Step); problem != "" {
		return s, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: problem}
	}
	return s, nil
}

// plain says what is wrong with JSON without the names of this program's types.
func plain(err error) error {
	if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
		field := strings.TrimPrefix(e.Field, "Progress.") // which state embeds
		return fmt.Errorf("%s of type %s", cmp.Or(field, "JSON"), fault.Short(e.Value))
	}
	return err
}

// wrong says what no run could have come to after the step.
func (p Progress) wrong(step int) string {
	switch {
	case p.Step != step:
		return fmt.Sprintf("is of step %d, the folder is of step %d", p.Step, step)
	case p.Stage < 0 || p.Stage > betweenStages:
		return fmt.Sprintf("stage %d: want 0 to %d", p.Stage, betweenStages)
	case p.BestStep < 0 || p.BestStep > step:
		return fmt.Sprintf("best_step %d: want 0 to %d", p.BestStep, step)
	case p.Reseed != uint64(len(p.Rollbacks)):
		return fmt.Sprintf("reseed %d after %d rollbacks", p.Reseed, len(p.Rollbacks))
	case wrongCurricula(p.Curricula):
		return "curricula: want counts of moves and areas from 0 to 1"
	case p.Baseline.Steps < 0 || p.Baseline.Variance < 0:
		return "baseline: want a count and a variance of 0 or more"
	}
	for _, r := range p.Rollbacks {
		if r.To < 0 || r.At < r.To {
			return fmt.Sprintf("a rollback from step %d to %d", r.At, r.To)
		}
	}
	return ""
}

func wrongCurricula(all map[string]step.Curriculum) bool {
	for _, c := range all {
		if c.Steps < 0 || slices.ContainsFunc(c.AUC, func(v float64) bool { return !(v >= 0 && v <= 1) }) {
			return true
		}
	}
	return false
}
