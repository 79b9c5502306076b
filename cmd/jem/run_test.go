package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"jem/config"
	"jem/eval"
	"jem/eval/calibration"
	"jem/eval/chains"
	"jem/eval/ood"
	"jem/eval/robust"
	"jem/internal/metrics"
	"jem/internal/picture"
	"jem/predict/predicttest"
)

// writeCIFAR makes a data set in CIFAR-10's files: 100 training and 20 test images.
func writeCIFAR(t *testing.T) (dir string) {
	t.Helper()
	return predicttest.CIFAR(t)
}

// small are the flags of the smallest run on such data.
func small(data, out string, more ...string) []string {
	return append([]string{
		"train", "--preset", "cifar10-small", "--data-dir", data, "--out", out, "--batch", "4", "--sgld-steps", "2",
		"--buffer-size", "20", "--steps", "3", "--set", "data.valid=20", "--set", "model.width=1", "--set", "train.log_every=1",
		"--conv-algo", "winograd", // nothing is measured, so that two runs compute alike
	}, more...)
}

func TestTrainEvalSample(t *testing.T) {
	data, out := writeCIFAR(t), filepath.Join(t.TempDir(), "run")
	var done trained
	okJSON(t, &done, small(data, out, "--json")...)
	if done.Steps != 3 || done.Evaluation.Split != "test" || done.Evaluation.Images != 20 {
		t.Errorf("got %+v", done)
	}
	for _, name := range []string{"config.yaml", "env.json", "metrics.jsonl", "report.html", "samples/step-00000003.png", "checkpoints/step-00000003/MANIFEST.json"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e eval.Result
	okJSON(t, &e, "eval", "--run", out, "--conv-algo", "winograd", "--json") // as the run did: portable kernels might time others to be faster
	if e.Step != 3 || e.Accuracy != done.Evaluation.Accuracy || e.Loss != done.Evaluation.Loss {
		t.Errorf("the run read back has %+v, at its end it had %+v", e, done.Evaluation)
	}
	for split, images := range map[string]int{"valid": 20, "train": 80} {
		okJSON(t, &e, "eval", "--checkpoint", filepath.Join(out, "checkpoints", "step-00000003"), "--split", split, "--json")
		if e.Split != split || e.Images != images {
			t.Errorf("%s: got %+v", split, e)
		}
	}
	testEvalTasks(t, out)
	testSamples(t, out)
	testMistakesWithRuns(t, data, out)
}

// testEvalTasks asks for every figure of the smallest run and looks whether they fit each other.
func testEvalTasks(t *testing.T, out string) {
	pictures := filepath.Join(t.TempDir(), "pictures")
	measured := func(v any, args ...string) {
		okJSON(t, v, append([]string{"eval", "--run", out, "--json", "--pictures", pictures}, args...)...)
	}
	var c calibration.Result
	measured(&c, "--task", "calibration")
	var above calibration.Result
	measured(&above, "--task", "calibration", "--on-edge", "above")
	if c.Edge != metrics.Below || above.Edge != metrics.Above || !slices.Equal(above.Bins, c.Bins) {
		t.Errorf("edges %q and %q, bins %+v and %+v", c.Edge, above.Edge, c.Bins, above.Bins)
	}
	var n calibration.ProperScores
	measured(&n, "--task", "nll", "--limit", "20")
	var a eval.Result
	measured(&a)
	// The NLL is summed in float64 both times, from the same float32 logits.
	if c.NLL != n.NLL || c.Brier != n.Brier || math.Abs(c.NLL-a.Loss) > 1e-9 || c.Accuracy != a.Accuracy || len(c.Bins) != 3 || len(c.Weights) != 64 {
		t.Errorf("got %+v, %+v and %+v", c, n, a)
	}
	var refined eval.Result
	measured(&refined, "--refine", "1")
	if refined.Images != 20 || refined.Refine != 1 || refined.Loss == a.Loss {
		t.Errorf("got %+v and %+v", refined, a)
	}
	folder := t.TempDir()
	img := image.NewGray(image.Rect(0, 0, 40, 33))
	for _, name := range []string{"a.png", "b.png"} {
		if err := picture.WritePNG(filepath.Join(folder, name), img); err != nil {
			t.Fatal(err)
		}
	}
	var o ood.Result
	measured(&o, "--task", "ood", "--ood", "folder:"+folder+",uniform", "--limit", "15")
	if len(o.Figures) != 6 || o.Figures[0].In != 15 || o.Figures[0].Out != 2 || o.Orientation == "" || len(o.DataHash) != 64 || len(o.Weights) != 64 || len(o.Sets[0].Data) != 64 {
		t.Errorf("got %+v", o)
	}
	measured(&o, "--task", "ood", "--ood", "gaussian,uniform", "--limit", "15", "--scores", "all", "--neighbour", "5")
	if len(o.Figures) != 20 || o.Scorer.FitImages != 80 || o.Scorer.Temperature <= 0 || o.Sets[0].Set != "gaussian" {
		t.Errorf("got %+v", o)
	}
	var all []eval.Result
	measured(&all, "--noise", "0,0.03", "--refine", "0,1,2")
	if len(all) != 6 || all[0].Noise != 0 || all[5].Noise != 0.03 || all[5].Refine != 2 || all[0].DataHash == all[5].DataHash || all[0].DataHash != all[1].DataHash {
		t.Errorf("got %+v", all)
	}
	var chains chains.Result
	measured(&chains, "--task", "chains", "--n", "2", "--steps", "16", "--every", "1")
	if len(chains.Records) != 16 || chains.LogPx.RHat == 0 {
		t.Errorf("got %+v", chains)
	}
	file := filepath.Join(t.TempDir(), "results", "a.json")
	measured(&a, "--out", file)
	if b, err := os.ReadFile(file); err != nil || !bytes.Contains(b, []byte(`"weights_sha256"`)) {
		t.Errorf("--out: %s, %v", b, err)
	}
	for _, name := range []string{"reliability.png", "ood-" + filepath.Base(folder) + "-pxgrad.png", "ood-gaussian-knn.png", "chains-log-px.png", "chains-step-norm.png"} {
		if _, err := os.Stat(filepath.Join(pictures, name)); err != nil {
			t.Error(err)
		}
	}
	testAttack(t, out)
}

// testAttack attacks the smallest run, twice against itself and once with images made against it.
func testAttack(t *testing.T, out string) {
	folder := filepath.Join(t.TempDir(), "attack")
	args := []string{"attack", "--run", out, "--json", "--limit", "6", "--epsilon", "4,64", "--pgd-steps", "3", "--restarts", "1", "--chains", "2", "--refine", "0,1"}
	var r robust.Report
	okJSON(t, &r, append(args, "--attack", "pgd,apgd-dlr", "--out", folder)...)
	if len(r.Attacks) != 4 || len(r.Worst) != 2 || r.Attacks[3].Refine != 1 || r.Attacks[3].Images != 6 || r.Attacks[0].Points[0].Accuracy < r.Attacks[0].Points[2].Accuracy || r.Attacks[0].DataHash == "" {
		t.Errorf("got %+v", r)
	}
	for _, name := range []string{"attack.json", "curve.png", "adversarial-pgd-k0.safetensors", "adversarial-apgd-dlr-k1.safetensors"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "unfinished-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	var transfer robust.Report
	okJSON(t, &transfer, append(args, "--from", out, "--norm", "l2")...)
	if transfer.Attacks[0].Source == nil || transfer.Attacks[0].Source.Weights != r.Attacks[0].Weights {
		t.Errorf("got %+v", transfer)
	}
}

func testSamples(t *testing.T, out string) {
	picture := filepath.Join(t.TempDir(), "s.png")
	for _, args := range [][]string{{"--n", "120"}, {"--n", "7", "--fresh", "--steps", "1", "--class", "frog"}} {
		var r sampleReport
		okJSON(t, &r, append([]string{"sample", "--run", out, "--out", picture, "--json"}, args...)...)
		if fmt.Sprint(r.Samples) != args[1] || len(r.LogPx) != r.Samples {
			t.Errorf("%v: got %+v", args, r)
		}
		f, err := os.Open(picture)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Error(err)
		}
		f.Close()
	}
}

// oneClass is a folder of pictures of one class.
func oneClass(t *testing.T) string {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "cats"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		if err := picture.WritePNG(filepath.Join(dir, "cats", fmt.Sprintf("%d.png", i)), image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func testMistakesWithRuns(t *testing.T, data, out string) {
	weights := filepath.Join(out, "checkpoints", "step-00000003", "model.safetensors")
	for _, tc := range []struct {
		name   string
		before func() error
		args   []string
		code   int
		want   string
	}{
		{"run folder taken", nil, small(data, out), exitBusy, "jem: create run folder"},
		{"no --out", nil, []string{"train"}, exitUsage, "jem: name a folder"},
		{"no data", nil, small(t.TempDir(), out+"2"), exitData, "jem: cifar10 not found"},
		{"folder below a file", nil, small(data, filepath.Join(weights, "run")), exitIO, "jem: "},
		{"divergence", nil, small(data, out+"3", "--set", "train.max_loss=1e-9"), exitDiverged, "jem: training diverged at step 1"},
		{"no run", nil, []string{"eval", "--run", data}, exitData, "jem: " + data + ": is no run folder"},
		{"run and checkpoint", nil, []string{"eval", "--run", out, "--checkpoint", out}, exitUsage, "jem: --checkpoint " + out + ": want latest, best or a step's number"},
		{"unknown split", nil, []string{"eval", "--run", out, "--split", "half"}, exitUsage, `jem: --split "half"`},
		{"unknown task", nil, []string{"eval", "--run", out, "--task", "fid"}, exitUsage, `jem: --task "fid"`},
		{"unknown edge", nil, []string{"eval", "--run", out, "--task", "calibration", "--on-edge", "both"}, exitUsage, `jem: --on-edge "both": want below or above`},
		{"no set", nil, []string{"eval", "--run", out, "--task", "ood"}, exitUsage, "jem: --ood is missing"},
		{"own set", nil, []string{"eval", "--run", out, "--task", "ood", "--ood", "cifar10"}, exitData, "jem: cifar10 is the run's own"},
		{"empty folder", nil, []string{"eval", "--run", out, "--task", "ood", "--ood", "folder:" + t.TempDir()}, exitData, "jem: "},
		{"too few to interpolate", nil, []string{"eval", "--run", out, "--task", "ood", "--ood", "interp"}, exitData, "jem: interp: 20 test images"},
		{"negative radius", nil, []string{"attack", "--run", out, "--epsilon", "-1"}, exitUsage, "jem: --epsilon"},
		{"unknown norm", nil, []string{"attack", "--run", out, "--norm", "l3"}, exitUsage, "jem: --norm"},
		{"unknown attack", nil, []string{"attack", "--run", out, "--attack", "pgd,fgsm"}, exitUsage, `jem: --attack "pgd,fgsm"`},
		{"unknown score", nil, []string{"eval", "--run", out, "--task", "ood", "--ood", "uniform", "--scores", "px,pz"}, exitUsage, `jem: --scores "px,pz"`},
		{"neighbour beyond the images", nil, []string{"eval", "--run", out, "--task", "ood", "--ood", "uniform", "--scores", "knn", "--neighbour", "81"}, exitData, "jem: score knn: neighbour 81 of 80"},
		{"unknown set", nil, []string{"eval", "--run", out, "--task", "ood", "--ood", "svnh"}, exitData, `jem: no data set "svnh"`},
		{"no textures", nil, []string{"eval", "--run", out, "--task", "ood", "--ood", "textures"}, exitData, "jem: textures: no folder of its pictures"},
		{"two noises", nil, []string{"eval", "--run", out, "--task", "nll", "--noise", "0,0.03"}, exitUsage, "jem: --noise 0,0.03: only"},
		{"too few records", nil, []string{"eval", "--run", out, "--task", "chains", "--steps", "20"}, exitUsage, "jem: --steps 20: want at least 160"},
		{"one class", nil, []string{"train", "--preset", "folder", "--data-dir", oneClass(t), "--out", out + "4", "--steps", "1", "--batch", "2"}, exitData, "jem: "},
		{"unknown class", nil, []string{"sample", "--run", out, "--out", "x.png", "--class", "cow"}, exitUsage, `jem: --class "cow"`},
		{"damaged checkpoints", func() error { return truncateAll(out) }, []string{"eval", "--run", out}, exitData, "jem: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.before != nil {
				if err := tc.before(); err != nil {
					t.Fatal(err)
				}
			}
			r := do(t, append(tc.args, "--quiet")...)
			if r.code != tc.code || !strings.HasPrefix(r.stderr, tc.want) {
				t.Errorf("got %d %s\nwant %d %s", r.code, r.stderr, tc.code, tc.want)
			}
		})
	}
}

// truncateAll cuts the weights of every checkpoint of a run.
func truncateAll(run string) error {
	files, err := filepath.Glob(filepath.Join(run, "checkpoints", "step-*", "model.safetensors"))
	for _, f := range files {
		err = errors.Join(err, os.Truncate(f, 100))
	}
	return err
}

func TestAPresetOfSoftmaxOnly(t *testing.T) {
	data, out := writeCIFAR(t), filepath.Join(t.TempDir(), "run")
	ok(t, small(data, out, "--set", "objective.p_x=0", "--set", "objective.l2=0")...)
	r := do(t, "sample", "--run", out, "--out", filepath.Join(t.TempDir(), "s.png"))
	if r.code != exitData || !strings.Contains(r.stderr, "no replay buffer") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
}

func TestInterruptSavesACheckpoint(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupt for one process")
	}
	out := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(jem, small(writeCIFAR(t), out, "--steps", "1000000", "--log-format", "json")...)
	last, told := "", false
	code := listen(t, cmd, func(text string) {
		last = text
		var line struct{ Msg string }
		if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "step" && !told {
			told = true // a second signal would end it at once
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	})
	if code != exitStopped || !strings.HasPrefix(last, "jem: stopped after step ") {
		t.Errorf("exit code %d, last line %q", code, last)
	}
	if saved, err := filepath.Glob(filepath.Join(out, "checkpoints", "step-*", "MANIFEST.json")); err != nil || len(saved) == 0 {
		t.Errorf("no checkpoint: %v", err)
	}
}

func TestGoldenStep(t *testing.T) {
	path := filepath.Join("..", "..", "train", "replay", "testdata", "jem_wrn10_1.json")
	for _, name := range []string{path, "built-in"} {
		var r replayed
		okJSON(t, &r, "selftest", "--golden", name, "--json")
		if !r.Passed || len(r.Groups) < 5 || r.Step != "jem_wrn10_1" {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	var followed replayed
	okJSON(t, &followed, "selftest", "--golden", filepath.Join("..", "..", "train", "replay", "testdata", "recipes", "sada-jem.json"), "--json")
	if !followed.Passed || len(followed.Groups) != 17 || followed.Step != "sada-jem" {
		t.Errorf("got %+v", followed)
	}
	for _, bad := range []string{"none.json", filepath.Join("..", "..", "go.mod")} {
		if r := do(t, "selftest", "--golden", bad); r.code != exitData || !strings.HasPrefix(r.stderr, "jem: read golden step: ") {
			t.Errorf("%s: got %d %s", bad, r.code, r.stderr)
		}
	}
}

func TestGoldenFigures(t *testing.T) {
	var r checkedFigures
	okJSON(t, &r, "selftest", "--golden", filepath.Join("..", "..", "internal", "metrics", "testdata", "metrics.json"), "--json")
	if !r.Passed || len(r.Figures) != 21 {
		t.Errorf("got %+v", r)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.json")
	for text, code := range map[string]int{
		`{"a": {"in": [2], "ood": [1], "auroc": 0.99}}`:  exitFailed,
		`{"a": {"in": [2], "ood": [1], "auroch": 0.99}}`: exitData,
	} {
		if err := os.WriteFile(wrong, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if r := do(t, "selftest", "--golden", wrong); r.code != code || r.stderr == "" {
			t.Errorf("%s: got %d %s", text, r.code, r.stderr)
		}
	}
}

// The flag table must name settings that exist.
func TestShortcutsNameSettings(t *testing.T) {
	text, err := config.Document(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shortcuts {
		key := s.path[strings.LastIndexByte(s.path, '.')+1:]
		if !strings.Contains(text, key+":") {
			t.Errorf("--%s sets %s, which does not exist", s.flag, s.path)
		}
	}
}
