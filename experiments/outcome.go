package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"jem/internal/durable"
	"jem/internal/rundir"
	"jem/predict"
	"jem/train"
	"jem/train/journal"
)

// Outcome is how a training ended. It is written when the training has ended for good, so
// that a folder with one is never trained again.
type Outcome struct {
	Run       string           `json:"run"`
	Seed      uint64           `json:"seed"`
	Steps     int              `json:"steps"`
	Hours     float64          `json:"hours"` // wall-clock, of the training steps; those lost by a kill are not among them
	Device    string           `json:"device"`
	CPU       string           `json:"cpu,omitempty"`
	Cores     int              `json:"cores"`
	Rollbacks []train.Rollback `json:"rollbacks"`
	Diverged  string           `json:"diverged,omitempty"` // why the run gave up; empty: it came to its end
	Valid     predict.Accuracy `json:"last_evaluation"`
	Notes     []string         `json:"notes,omitempty"` // about the images, and what it went on with
}

const outcomeFile = "outcome.json"

// firstDivergence is the step that was refused first, 0 if none was.
func (o Outcome) firstDivergence() int {
	if len(o.Rollbacks) == 0 {
		return 0
	}
	return o.Rollbacks[0].At
}

// readOutcome returns the outcome of a run folder, or false while there is none.
func readOutcome(run string) (o Outcome, ended bool, err error) {
	err = readKept(filepath.Join(run, outcomeFile), &o, "remove it, and the run's end is looked at again")
	if errors.Is(err, fs.ErrNotExist) {
		return o, false, nil
	}
	return o, err == nil, err
}

func (o Outcome) write(run string) error {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(run, outcomeFile), append(text, '\n'))
}

// hours are those of the recorded steps.
func hours(run string) (float64, error) {
	records, _, err := journal.ReadHistory(rundir.Path(run))
	if err != nil {
		return 0, fmt.Errorf("hours of %s: %w", run, err)
	}
	return records.Hours(), nil
}
