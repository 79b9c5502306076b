package train

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"jem/comm"
	"jem/feed/feedtest"
	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
)

// TestImportedWeightsAreNotResumed: a run folder made of a file evaluates, but has no optimiser.
func TestImportedWeightsAreNotResumed(t *testing.T) {
	w, err := weights.Read(predicttest.OfficialFile(), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(t.TempDir(), "run")
	if _, err := predict.WriteRun(run, w, predict.Origin{}); err != nil {
		t.Fatal(err)
	}
	c, _, err := checkpoint.Latest(rundir.Path(run).Checkpoints())
	if err != nil {
		t.Fatal(err)
	}
	untrained, err := json.Marshal(Progress{})
	if err != nil || string(c.State) != string(untrained) {
		t.Errorf("state.json is %s, want that of a run without a step: %s (%v)", c.State, untrained, err)
	}
	tr, err := New(open(t, 1), feedtest.ToyConfig(), feedtest.ToySources(8), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Restore(c); !errors.Is(err, fault.ErrBad) {
		t.Errorf("got %v", err)
	}
	if _, err := predict.WriteRun(run, w, predict.Origin{}); !errors.Is(err, rundir.ErrExists) {
		t.Errorf("a run was written over another: %v", err)
	}
}
