package main

import (
	"path/filepath"
	"testing"

	"jem/internal/checkpoint"
)

// A run that dies at any place of the writing of a checkpoint, which goes on while it trains, keeps those before it,
// and ends as if it had never stopped.
func TestKilledWhileACheckpointIsWritten(t *testing.T) {
	data := writeCIFAR(t)
	want, _ := reference(t, data)
	for point, newest := range map[string]int{ // the second one is of step 3; each has six files
		"ckpt.mkdir.after:3":   0,
		"ckpt.close.after:8":   0,
		"ckpt.rename.before:2": 0,
		"ckpt.rename.after:2":  3,
	} {
		t.Run(point, func(t *testing.T) {
			c := newCourse(t, data)
			c.env = []string{"JEM_FAILPOINT=" + point + ":exit"}
			killed := c.command()
			_ = killed.Run()                                         // the code tells
			if code := killed.ProcessState.ExitCode(); code != 137 { // as of kill -9
				t.Fatalf("exit code %d", code)
			}
			if saved, damaged, err := checkpoint.Latest(filepath.Join(c.out, "checkpoints")); err != nil || len(damaged) > 0 || saved.Step != newest {
				t.Errorf("%+v, %v, %v; want step %d", saved, damaged, err, newest)
			}
			c.env = nil
			c.finish()
			c.compare(want)
		})
	}
}
