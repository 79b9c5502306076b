package journal

import (
	"errors"

	"jem/internal/checkpoint"
	"jem/internal/rundir"
	"jem/train"
)

// Follow is the folder of a run that another process holds, with the state of a step that it has chosen;
// negative: the run has not come to its first one. Nothing is written there.
func Follow(path string, step int) (*Stored, error) {
	s := &Stored{}
	if step < 0 {
		return s, nil
	}
	c, err := Reader(path).At(step)
	if err != nil {
		return nil, err
	}
	return s, s.take(c, path)
}

// Reader is the train.Keeper of a process that only reads the states that another one keeps in the folder
// of a run.
type Reader string

var errReader = errors.New("only the first rank keeps a run's states")

// At implements train.Keeper.
func (r Reader) At(step int) (*checkpoint.Checkpoint, error) {
	return checkpoint.At(rundir.Path(r).Checkpoints(), step, Usable)
}

// Save implements train.Keeper: it must not be called.
func (r Reader) Save(*train.Trainer) (func() (string, error), error) { return nil, errReader }

// Before implements train.Keeper: it must not be called.
func (r Reader) Before(int) (*checkpoint.Checkpoint, []error, error) { return nil, nil, errReader }

// Return implements train.Keeper: it must not be called.
func (r Reader) Return(*checkpoint.Checkpoint) error { return errReader }
