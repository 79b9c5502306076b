package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/rundir"
)

func TestState(t *testing.T) {
	here, there := &rundir.Holder{PID: 7, Host: "here"}, &rundir.Holder{PID: 7, Host: "there"}
	end, middle, late := &Saved{Step: 9}, &Saved{Step: 8}, &Saved{Step: 9, left: 2}
	for name, tc := range map[string]struct {
		locked bool
		holder *rundir.Holder
		saved  *Saved
		steps  int
		want   State
	}{
		"a process has it":                      {true, here, middle, 9, Running},
		"one of another machine has it":         {true, there, middle, 9, Running},
		"one that hasn't said who it is":        {true, nil, nil, 9, Running},
		"one that has just come to the end":     {true, here, end, 9, Running},
		"done":                                  {false, nil, end, 9, Finished},
		"done, and killed while it gave it up":  {false, here, end, 9, Finished},
		"all steps, but something left to do":   {false, nil, late, 9, Stopped},
		"given back":                            {false, nil, middle, 9, Stopped},
		"given back before the first":           {false, nil, nil, 9, Stopped},
		"never given back":                      {false, here, middle, 9, Killed},
		"never given back by another machine's": {false, there, middle, 9, Unknown},
		"of no known length":                    {false, nil, end, 0, Stopped},
	} {
		s := Status{Standing: Standing{Steps: tc.steps}, Holder: tc.holder, Checkpoint: tc.saved}
		if got := s.state(tc.locked, "here"); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

// written is a run's folder with these records, and checkpoints of which the last is not whole.
func written(t *testing.T, records string) string {
	t.Helper()
	run := t.TempDir()
	files := map[string]string{
		"config.yaml": "train: {steps: 100}\n", "metrics.jsonl": records,
		"checkpoints/step-00000004/state.json": `{"step":4,"stage":1}`, "checkpoints/step-00000004/MANIFEST.json": "{}",
		"checkpoints/step-00000006/state.json": `{"step":6}`,
	}
	for name, text := range files {
		path := filepath.Join(run, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return run
}

func TestStatusOfAFolder(t *testing.T) {
	run := written(t, `{"time":"2026-11-30T10:00:00Z","step":0,"kind":"note","text":"one"}
{"time":"2026-11-30T10:00:01Z","step":1,"kind":"train","step_seconds":90,"loss":5,"gap":1,"accuracy":0.5,"grad_norm":2}
{"time":"2026-11-30T10:00:02Z","step":3,"kind":"train","step_seconds":4,"loss":"NaN","gap":1,"accuracy":0.5,"grad_norm":2}
{"time":"2026-11-30T10:00:03Z","step":4,"kind":"rollback","to":3,"text":"two"}
{"time":"2026-11-30T10:00:04Z","step":5,"kind":"train","step_seconds":4,"loss":3,"gap":0.5,"accuracy":0.25,"grad_norm":1}
{"time":"2026-11-30T10:00:05Z","step":5,"kind":"note","text":"three"}
{"time":"2026-11-30T10:00:06Z","step":5,"kind":"note","text":"four"}
`)
	s, notes, err := StatusOf(run)
	if err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	if s.State != Stopped || s.Step != 5 || s.Steps != 100 || s.Rollbacks != 1 || s.Holder != nil || s.Starts != 0 {
		t.Errorf("got %+v", s)
	}
	if s.Training == nil || *s.Training != (Figures{5, 3, 0.5, 0.25, 1}) {
		t.Errorf("got %+v", s.Training)
	}
	// 1 step of 90 s and 4 of 4 s.
	if want := (90 + 4*4.0) / 5; s.PaceSeconds != want || s.LeftSeconds == nil || *s.LeftSeconds != 95*want {
		t.Errorf("a pace of %v s, %v s left", s.PaceSeconds, s.LeftSeconds)
	}
	if s.Checkpoint == nil || s.Checkpoint.Step != 4 || s.Checkpoint.left != 1 || s.Checkpoint.Time.IsZero() {
		t.Errorf("got %+v", s.Checkpoint)
	}
	var texts []string
	for _, n := range s.Trouble {
		texts = append(texts, n.Text)
	}
	if got := strings.Join(texts, " "); got != "two three four" {
		t.Errorf("got %q", got)
	}
	if entries, err := os.ReadDir(run); err != nil || len(entries) != 3 {
		t.Errorf("reading left %v, %v", entries, err)
	}
}

// The pace is that of the last records: what was slow long ago is over.
func TestThePaceIsOfLate(t *testing.T) {
	var h History
	for n := range 30 {
		h = append(h, rundir.Record{Step: n + 1, Kind: KindTrain, Values: map[string]float64{"step_seconds": float64(max(1, 20-n))}})
	}
	if got := h.pace(); got != 1 {
		t.Errorf("%v s", got)
	}
	if got := History(nil).pace(); got != 0 {
		t.Errorf("of nothing %v s", got)
	}
}
