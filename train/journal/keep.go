package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/internal/tboard"
	"jem/train"
)

// memory is what the journal has in a checkpoint: with it the records of a resumed run are
// those of one that never stopped.
type memory struct {
	Records  int           `json:"records"` // in metrics.jsonl
	Steps    int           `json:"steps"`   // in Interval
	Interval rundir.Record `json:"interval"`
}

// Save implements train.Keeper. The records so far are made durable first; checkpoints that the policy no
// longer keeps are removed once the new one has been verified.
func (j *Journal) Save(t *train.Trainer) (write func() (string, error), err error) {
	m, err := json.Marshal(memory{j.dir.Records(), j.sum.steps, rundir.Record{Values: j.sum.values}})
	if err != nil {
		return nil, err
	}
	s, err := t.Snapshot(m)
	if err != nil {
		return nil, j.cause(err)
	}
	keep := j.keep
	if best := t.Progress().BestStep; best > 0 {
		keep.Keep = []int{best}
	}
	return func() (string, error) {
		if err := j.dir.Sync(); err != nil {
			return "", fmt.Errorf("metrics: %w", err)
		}
		path, err := s.Write(j.store)
		if err == nil {
			_, err = j.store.Prune(keep)
		}
		return path, j.cause(err)
	}, nil
}

// cause is why something in the run's folder failed, where the folder itself is to blame: it was
// moved away meanwhile, or somebody else has it.
func (j *Journal) cause(err error) error {
	if err == nil {
		return nil
	}
	if why := j.dir.Ours(); why != nil {
		return why
	}
	return err
}

// Before implements train.Keeper.
func (j *Journal) Before(step int) (*checkpoint.Checkpoint, []error, error) {
	return checkpoint.Before(j.dir.Checkpoints(), step, Usable)
}

// At implements train.Keeper.
func (j *Journal) At(step int) (*checkpoint.Checkpoint, error) {
	return checkpoint.At(j.dir.Checkpoints(), step, Usable)
}

// Return implements train.Keeper. Records stay: the one of the rollback follows them.
func (j *Journal) Return(c *checkpoint.Checkpoint) error {
	m, err := remember(c)
	if err != nil {
		return err
	}
	j.sum = interval{m.Steps, m.Interval.Values}
	if err := j.forget(c.Step); err != nil {
		return err
	}
	events, err := tboard.Create(string(j.Path), c.Step)
	if err != nil {
		return err
	}
	err = j.events.Close()
	j.events = events
	return err
}

// forget removes checkpoints and pictures of later steps.
func (j *Journal) forget(step int) error {
	if _, err := j.store.Discard(step); err != nil {
		return err
	}
	if err := j.unless(dropJudged(j.Path, step)); err != nil {
		return err
	}
	pictures, err := sampleSteps(j.Path)
	if err != nil {
		return err
	}
	for _, of := range pictures {
		if of <= step {
			continue
		}
		if err := os.Remove(j.Path.Sample(of)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			if err := j.unless(err); err != nil {
				return err
			}
		}
	}
	return nil
}

// Usable is a checkpoint.Usable: trainer and journal can go on from its state.
func Usable(c *checkpoint.Checkpoint) error {
	if err := train.Usable(c); err != nil {
		return err
	}
	_, err := remember(c)
	return err
}

// remember reads what the journal has in a checkpoint. Errors: a *fault.Error.
func remember(c *checkpoint.Checkpoint) (m memory, err error) {
	text, err := train.KeeperState(c)
	if err != nil || text == nil {
		return m, err
	}
	if json.Unmarshal(text, &m) != nil || m.Records < 0 || m.Steps < 0 {
		return memory{}, &fault.Error{Path: filepath.Join(c.Path, "state.json"), Kind: fault.ErrBad, Reason: "keeper is not what a run remembers of its records"}
	}
	return m, nil
}
