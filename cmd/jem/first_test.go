package main

import (
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/eval"
	"jem/internal/data"
	"jem/internal/picture"
)

// shapesRun is a short run on images that the program draws, made once for all that only read it.
func shapesRun(t *testing.T) string {
	t.Helper()
	out := filepath.Join(filepath.Dir(jem), "shapes-run")
	shapesOnce.Do(func() {
		ok(t, "train", "--preset", "shapes-demo", "--out", out, "--steps", "40", "--set", "train.eval_every=20", "--set", "train.save_every=20", "--set", "train.keep_last=3", "--quiet", "--conv-algo", "direct")
	})
	return out
}

var shapesOnce sync.Once

// A first run needs no files, no home and no settings of the user's.
func TestAFirstRunNeedsNoData(t *testing.T) {
	run := shapesRun(t)
	var e eval.Result
	okJSON(t, &e, "eval", "--run", run, "--json", "--quiet")
	if e.Images != 300 || e.Accuracy < 0.5 {
		t.Errorf("got %+v; five figures that differ should be told apart at 50 %% or above after 40 steps", e)
	}
	right, all := 0, 0
	for y, c := range e.PerClass {
		right, all = right+c.Right, all+c.Images
		if c.Images != 60 || e.Confusion[y][y] != c.Right {
			t.Errorf("class %d: got %+v and %v", y, c, e.Confusion[y])
		}
	}
	if all != 300 || float64(right)/300 != e.Accuracy || len(e.Mistakes) == 0 || e.Mistakes[0].Class == e.Mistakes[0].Answer {
		t.Errorf("%d of %d right, accuracy %g, worst mistake %+v", right, all, e.Accuracy, e.Mistakes)
	}
	figures := t.TempDir()
	if text := ok(t, "eval", run, "--quiet", "--pictures", figures); !strings.Contains(text, "CLASS  ACCURACY  IMAGES  TAKEN FOR\ndisc ") {
		t.Errorf("got %s", text)
	}
	if _, err := os.Stat(filepath.Join(figures, "mistakes.png")); err != nil {
		t.Error(err)
	}
	picture := filepath.Join(t.TempDir(), "s.png")
	ok(t, "sample", "--run", run, "--fresh", "-n", "5", "--steps", "2", "--out", picture, "--quiet")
	ok(t, "score", "--model", run, "--input", picture, "--quiet")
	if _, err := os.Stat(filepath.Join(run, "report.html")); err != nil {
		t.Error(err)
	}
	var sets []set
	okJSON(t, &sets, "data", "list", "--json")
	for _, s := range sets {
		if s.Name == data.Shapes && len(s.Files) == 0 {
			return
		}
	}
	t.Errorf("data list: %+v", sets)
}

// What looks like no training image is called unusual, and of usual ones few are.
func TestRuleForUnusualPictures(t *testing.T) {
	run, dir := shapesRun(t), t.TempDir()
	grey := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range grey.Pix {
		grey.Pix[i] = uint8(128 + 60*(i%2))
	}
	strange := filepath.Join(dir, "=stripes.png")
	if err := picture.WritePNG(strange, grey); err != nil {
		t.Fatal(err)
	}
	var s struct {
		Unusual int
		Rule    struct {
			Score       string
			HeldOut     int `json:"held_out_images"`
			Threshold   float64
			FalseAlarms float64 `json:"false_alarms"`
		}
		Images []struct {
			Score   float64
			P       float64 `json:"p_value"`
			Unusual bool
		}
	}
	okJSON(t, &s, "score", run, strange, "--rule", "mahalanobis", "--json", "--quiet")
	if s.Unusual != 1 || !s.Images[0].Unusual || s.Images[0].P != 1./101 || s.Images[0].Score > s.Rule.Threshold || s.Rule.HeldOut != 100 || s.Rule.FalseAlarms != 0.05 {
		t.Errorf("got %+v", s)
	}
	if out := ok(t, "score", run, strange, "--rule", "mahalanobis", "--quiet"); !strings.Contains(out, "VERDICT") || !strings.Contains(out, "1 of 1 are unusual") {
		t.Errorf("got\n%s", out)
	}
	csv := filepath.Join(dir, "s.csv")
	if out := ok(t, "score", run, strange, "--rule", "px", "--false-alarms", "0.02", "--out", csv, "--quiet"); !strings.Contains(out, "of 1 are unusual: px below") {
		t.Errorf("got\n%s", out)
	}
	if text, err := os.ReadFile(csv); err != nil || !strings.HasPrefix(string(text), "image,class,name,confidence,log_px,approx_mass,error,px,p_value,verdict\n") {
		t.Errorf("got %s, %v", text, err)
	}
	for want, args := range map[string][]string{
		`--rule "odin"`:           {"--rule", "odin"},
		"goes with --rule":        {"--false-alarms", "0.1"},
		"a share between 0 and 1": {"--rule", "px", "--false-alarms", "1"},
	} {
		if r := do(t, append([]string{"score", run, strange}, args...)...); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: got %d %s", args, r.code, r.stderr)
		}
	}
	if r := do(t, "score", run, strange, "--rule", "px", "--false-alarms", "0.001"); r.code != exitData || !strings.Contains(r.stderr, "wants 999 held-out images, and there are 100") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
}

// The commands that take a run take its checkpoints by name: the newest, the best, that of a step.
func TestCheckpointsByName(t *testing.T) {
	run, file := shapesRun(t), filepath.Join(t.TempDir(), "m.safetensors")
	var all []stored
	okJSON(t, &all, "checkpoint", "list", run, "--json")
	best := 0
	for _, s := range all {
		if s.Best {
			best += s.Step
		}
	}
	if best != 20 && best != 40 { // one of the two evaluations, and no other
		t.Fatalf("the best of %+v is %d", all, best)
	}
	for name, step := range map[string]int{"best": best, "latest": 40, "20": 20, "0": 0} {
		var e eval.Result
		if okJSON(t, &e, "eval", run, "--checkpoint", name, "--json", "--quiet", "--limit", "10"); e.Step != step {
			t.Errorf("%s is step %d, want %d", name, e.Step, step)
		}
		ok(t, "convert", run, file, "--checkpoint", name)
		picture := filepath.Join(run, "samples", "step-00000040.png")
		ok(t, "score", run, picture, "--checkpoint", name, "--quiet")
	}
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"eval", run, "--checkpoint", "7"}, exitData, "has no checkpoint of step 7; there are those of 0, 20, 40"},
		{[]string{"eval", "--checkpoint", "best"}, exitUsage, "--checkpoint best of which run?"},
		{[]string{"eval", run, "--checkpoint", "newest"}, exitUsage, "--checkpoint newest: want latest, best or a step's number"},
		{[]string{"eval", filepath.Join(run, "checkpoints", "step-00000020"), "--checkpoint", "best"}, exitUsage, "is a checkpoint already"},
		{[]string{"score", file, file, "--checkpoint", "best"}, exitUsage, "--checkpoint goes with a run"},
	} {
		if r := do(t, append(tc.args, "--quiet")...); r.code != tc.code || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%v: got %d %s", tc.args, r.code, r.stderr)
		}
	}
}

// Averaged weights are used where there are some, and raw ones for the asking; what was used is said.
func TestRawWeights(t *testing.T) {
	run, dir := shapesRun(t), t.TempDir()
	var usual, ema, raw eval.Result
	for which, e := range map[string]*eval.Result{"": &usual, "ema": &ema, "raw": &raw} {
		args := []string{"eval", run, "--json", "--quiet", "--limit", "10"}
		if which != "" {
			args = append(args, "--weights", which)
		}
		okJSON(t, e, args...)
	}
	if !usual.EMA || !ema.EMA || raw.EMA || usual.Weights != ema.Weights || raw.Weights == ema.Weights || raw.Loss == ema.Loss {
		t.Errorf("usual %+v\nema %+v\nraw %+v", usual.Subject, ema.Subject, raw.Subject)
	}
	var e eval.Result
	ok(t, "convert", run, filepath.Join(dir, "raw"), "--weights", "raw")
	if okJSON(t, &e, "eval", filepath.Join(dir, "raw"), "--json", "--quiet", "--limit", "10"); e.Weights != raw.Weights {
		t.Errorf("converted %+v, want %s", e.Subject, raw.Weights)
	}
	file := filepath.Join(dir, "m.safetensors")
	ok(t, "convert", run, file)
	sentence(t, exitData, []string{"has no averaged weights: the run was trained with optim.ema 0"}, "eval", filepath.Join(dir, "raw"), "--weights", "ema", "--quiet")
	sentence(t, exitUsage, []string{`--weights "mean": want ema or raw`}, "eval", run, "--weights", "mean", "--quiet")
	sentence(t, exitUsage, []string{"--weights goes with a run"}, "score", file, file, "--weights", "raw", "--quiet")
}

// The log for machines has what the sentences say as fields, and the time left from the first step on.
func TestTheLogHasFields(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	r := do(t, "train", "--preset", "shapes-demo", "--out", out, "--steps", "2", "--set", "train.log_every=1", "--set", "data.valid=1", "--log-format", "json", "--conv-algo", "direct")
	var steps, evaluations int
	for line := range strings.Lines(r.stderr) {
		var l struct {
			Msg, Left, Split string
			Images           int
			Accuracy         *float64
			TrainAccuracy    *float64 `json:"train_accuracy"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if _, err := time.ParseDuration(l.Left); l.Msg == "step" && (err != nil || l.TrainAccuracy == nil) {
			t.Errorf("got %s", line)
		} else if l.Msg == "step" {
			steps++
		}
		if l.Split == "valid" && l.Accuracy != nil && l.Images == 1 && strings.HasSuffix(l.Msg, " on 1 image") {
			evaluations++
		}
	}
	if r.code != exitDone || steps != 2 || evaluations != 1 {
		t.Errorf("%d steps, %d evaluations in\n%s", steps, evaluations, r.stderr)
	}
}
