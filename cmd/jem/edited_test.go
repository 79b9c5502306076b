package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jem/internal/checkpoint"
	"jem/internal/rundir"
)

// again writes the newest checkpoint of a run anew, with what edit makes of it and the right sums.
func again(t *testing.T, run string, edit func(*checkpoint.Checkpoint)) {
	t.Helper()
	dir := rundir.Path(run).Checkpoints()
	c, _, err := checkpoint.Latest(dir)
	if err != nil {
		t.Fatal(err)
	}
	edit(c)
	store, err := checkpoint.Open(dir)
	if err == nil {
		_, err = store.Save(c.Step, c.Files, c.State)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// editConfig changes a setting in a run's config.yaml, in the group named.
func editConfig(t *testing.T, run, group, key, value string) {
	t.Helper()
	path := rundir.Path(run).Config()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`(?m)(^` + group + `:\n(?:  .*\n)*?  ` + key + `: )[^ \n]+`)
	edited := at.ReplaceAll(text, []byte("${1}"+value))
	if string(edited) == string(text) {
		t.Fatalf("config.yaml has no %s.%s", group, key)
	}
	if err := os.WriteFile(path, edited, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A configuration that somebody edited is one (78), with what the checkpoint has; tensors that are
// none of a run are bad data (65), with their file. Neither is a bug.
func TestWhatDoesNotFitIsNamed(t *testing.T) {
	const notAsked = -1
	kept := finished(t, writeCIFAR(t))
	drop := func(file, tensor string) func(*checkpoint.Checkpoint) {
		return func(c *checkpoint.Checkpoint) {
			c.Files[file] = slices.DeleteFunc(c.Files[file], func(x checkpoint.Tensor) bool { return x.Name == tensor })
		}
	}
	for _, tc := range []struct {
		name   string
		edit   func(run string)
		resume int
		says   string
		eval   int
	}{
		{"width", func(run string) { editConfig(t, run, "model", "width", "2") }, exitConfig, "model.width: 2, but ", exitConfig},
		{"depth and norm", func(run string) {
			editConfig(t, run, "model", "depth", "16")
			editConfig(t, run, "model", "norm", "batch")
		}, exitConfig, "model.norm: batch, but ", exitConfig},
		{"buffer", func(run string) { editConfig(t, run, "sampler", "buffer", "30") }, exitConfig, "sampler.buffer: 30, but ", exitDone},
		{"optimiser", func(run string) { editConfig(t, run, "optim", "name", "sgd") }, exitConfig, "is of a run with adam", notAsked},
		{"tensor gone", func(run string) { again(t, run, drop("model", "f.layer2.0.conv1.weight")) }, exitData, `model.safetensors: tensor "f.layer2.0.conv1.weight" of shape`, exitData},
		{"average gone", func(run string) { again(t, run, drop("ema", "f.conv1.weight")) }, exitData, "ema.safetensors: has no tensor f.conv1.weight", exitData},
		{"no buffer", func(run string) {
			again(t, run, func(c *checkpoint.Checkpoint) { delete(c.Files, "buffer.rank000") })
		}, exitData, "has no buffer.rank000.safetensors", notAsked},
		{"NaN in the buffer", func(run string) {
			again(t, run, func(c *checkpoint.Checkpoint) { c.Files["buffer.rank000"][0].F32[5] = float32(math.NaN()) })
		}, exitData, "replay_buffer", exitData},
		{"infinity in the optimiser", func(run string) {
			again(t, run, func(c *checkpoint.Checkpoint) { c.Files["optim"][1].F32[5] = float32(math.Inf(1)) })
		}, exitData, "optim.safetensors: adam.v holds +Inf at place 5", notAsked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(run, os.DirFS(kept)); err != nil {
				t.Fatal(err)
			}
			tc.edit(run)
			for _, of := range []struct {
				args []string
				code int
			}{{[]string{"train", "--resume", run, "--quiet"}, tc.resume}, {[]string{"eval", "--run", run, "--limit", "1", "--quiet"}, tc.eval}} {
				if of.code == notAsked {
					continue
				}
				r := do(t, of.args...)
				if r.code != of.code || of.code != exitDone && !strings.Contains(r.stderr, tc.says) {
					t.Errorf("%s: exit code %d, want %d with %q\n%s", of.args[0], r.code, of.code, tc.says, r.stderr)
				}
			}
		})
	}
}

// A state that no run has counts as damage: the checkpoint before is used, and this one kept for
// who wants to look into it.
func TestAStateThatNoRunHasIsDamage(t *testing.T) {
	run := finished(t, writeCIFAR(t))
	set := func(key string, value any) func(*checkpoint.Checkpoint) {
		return func(c *checkpoint.Checkpoint) {
			var s map[string]any
			err := json.Unmarshal(c.State, &s)
			s[key] = value
			text, again := json.Marshal(s)
			if err := errors.Join(err, again); err != nil {
				t.Fatal(err)
			}
			c.State = text
		}
	}
	for name, tc := range map[string]struct {
		edit func(*checkpoint.Checkpoint)
		says string
	}{
		"cut":            {func(c *checkpoint.Checkpoint) { c.State = c.State[:20] }, "state.json: is not the state of a run"},
		"negative":       {set("step", -5), "state.json: is of step -5, the folder is of step 3"},
		"text":           {set("step", "3"), "state.json: is not the state of a run: step of type string"},
		"a list":         {func(c *checkpoint.Checkpoint) { c.State = []byte("[]") }, "state.json: is not the state of a run: JSON of type array"},
		"between stages": {set("stage", -1), "state.json: stage -1: want 0 to 3"},
		"many seeds":     {set("reseed", 1<<40), "after 0 rollbacks"},
		"records":        {set("keeper", map[string]any{"records": -1}), "state.json: keeper is not what a run remembers"},
	} {
		again(t, run, tc.edit)
		r := do(t, "checkpoint", "verify", run)
		if r.code != exitData || !strings.Contains(r.stderr, tc.says) || strings.Contains(r.stderr, "main.") {
			t.Errorf("%s: exit code %d\n%s", name, r.code, r.stderr)
		}
		again(t, run, func(c *checkpoint.Checkpoint) {
			whole, err := checkpoint.Load(filepath.Join(rundir.Path(run).Checkpoints(), "step-00000002"))
			if err != nil {
				t.Fatal(err)
			}
			c.State = []byte(strings.Replace(string(whole.State), `"step": 2`, `"step": 3`, 1))
		})
	}
	again(t, run, set("step", 7))
	r := do(t, "train", "--resume", run)
	if r.code != exitDone || !strings.Contains(r.stderr, "skipped a damaged checkpoint: ") || !strings.Contains(r.stderr, `"step": 2`) {
		t.Errorf("exit code %d\n%s", r.code, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(rundir.Path(run).Checkpoints(), "step-00000003.damaged")); err != nil {
		t.Error(err)
	}
}
