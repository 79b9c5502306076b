package predict

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/internal/rundir"
)

// Checkpoints of a run that have names besides their steps: the newest that is usable, and that of the
// best evaluation during training.
const (
	LatestCheckpoint = "latest"
	BestCheckpoint   = "best"
)

// IsCheckpointName holds for the names that ChosenCheckpoint takes.
func IsCheckpointName(name string) bool {
	_, err := strconv.ParseUint(name, 10, 31)
	return err == nil || name == LatestCheckpoint || name == BestCheckpoint
}

// ChosenCheckpoint is the folder of a run's checkpoint with a name, latest, best or the number of a
// step; empty for the latest, which OpenRun finds itself. The error is a *fault.Error where there is
// none of the name.
func ChosenCheckpoint(run, name string) (folder string, err error) {
	if name == LatestCheckpoint {
		return "", nil
	}
	var step int
	if name == BestCheckpoint {
		if step, err = BestStep(run); err != nil {
			return "", err
		}
	} else if step, err = strconv.Atoi(name); err != nil {
		return "", err
	}
	all, err := checkpoint.List(rundir.Path(run).Checkpoints())
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(all, func(e checkpoint.Entry) bool { return e.Step == step })
	if at < 0 {
		var have []string
		for _, e := range all {
			have = append(have, strconv.Itoa(e.Step))
		}
		return "", &fault.Error{Path: run, Kind: fault.ErrMissing, Reason: fmt.Sprintf("has no checkpoint of step %d; there are those of %s", step, strings.Join(have, ", "))}
	}
	return all[at].Path, nil
}

// NewestStep is the step of a run's newest checkpoint, usable or not; 0 where there is none.
func NewestStep(run string) (step int) {
	all, _ := checkpoint.List(rundir.Path(run).Checkpoints())
	for _, e := range all {
		step = max(step, e.Step)
	}
	return step
}

// BestStep is the step of a run's best evaluation so far, whose checkpoint is kept. The error is a
// *fault.Error where there was none.
func BestStep(run string) (int, error) {
	c, _, err := checkpoint.Latest(rundir.Path(run).Checkpoints(), "model")
	if err != nil {
		return 0, err
	}
	var state struct {
		BestStep int `json:"best_step"`
	}
	if err := json.Unmarshal(c.State, &state); err != nil || state.BestStep < 1 {
		return 0, &fault.Error{Path: run, Kind: fault.ErrMissing, Reason: "has no best checkpoint yet: nothing was evaluated; --checkpoint latest is its newest", Err: err}
	}
	return state.BestStep, nil
}
