package main

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/backend/philox"
	"jem/eval"
	"jem/eval/calibration"
	"jem/eval/ood"
	"jem/eval/robust"
	"jem/feed"
	"jem/internal/picture"
)

// ownPictures adds n pictures of so many pixels a side to dir/class; those of class dark are, those of
// light are not.
func ownPictures(t *testing.T, dir, class string, n, side int) {
	t.Helper()
	dir = filepath.Join(dir, class)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		img, key := image.NewNRGBA(image.Rect(0, 0, side, side)), philox.New(uint64(i), uint32(len(class)), philox.Test)
		for p := range side * side {
			v := uint8(key.IntN(uint64(p), 80))
			if class == "light" {
				v = 255 - v
			}
			img.SetNRGBA(p%side, p/side, color.NRGBA{v, v / 2, v, 255})
		}
		if err := picture.WritePNG(filepath.Join(dir, fmt.Sprintf("%02d.png", i)), img); err != nil {
			t.Fatal(err)
		}
	}
}

// ownRun trains two steps on pictures of 24 pixels a side, which become 16, into a folder named run beside
// them, which it returns. Classes are dark and light, 12 pictures each; 5 and 3 are to test on.
func ownRun(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	for class, tests := range map[string]int{"dark": 5, "light": 3} {
		ownPictures(t, filepath.Join(home, "pictures", "train"), class, 12, 24)
		ownPictures(t, filepath.Join(home, "pictures", "test"), class, tests, 24)
	}
	t.Chdir(home) // the configuration names the pictures by a relative path
	ok(t, ownFlags("--out", "run", "--data-dir", "pictures", "--set", "data.size=16")...)
	return home
}

// ownFlags are those of the smallest run on one's own pictures.
func ownFlags(more ...string) []string {
	return append([]string{"train", "--preset", "folder", "--set", "model.depth=10", "--set", "model.width=1", "--batch", "4", "--sgld-steps", "1",
		"--buffer-size", "20", "--steps", "2", "--threads", "1", "--conv-algo", "direct", "--quiet", "--set", "optim.cosine=false"}, more...)
}

// sentence runs the program, which is to end with the code and one sentence that has all the parts.
func sentence(t *testing.T, code int, parts []string, args ...string) {
	t.Helper()
	r := do(t, args...)
	last := r.stderr[strings.LastIndex(strings.TrimSpace(r.stderr), "\n")+1:]
	if r.code != code || strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("jem %s: got %d %s, want %d", strings.Join(args, " "), r.code, r.stderr, code)
	}
	for _, p := range parts {
		if !strings.Contains(last, p) {
			t.Errorf("jem %s: %sdoesn't say %q", strings.Join(args, " "), last, p)
		}
	}
}

// A run knows the names and order of its classes, the shape of its images, what they were and where they
// lie, whatever folder it is used with and from.
func TestARunCarriesWhatItDependsOn(t *testing.T) {
	home := ownRun(t)
	run := filepath.Join(home, "run")
	facts, err := feed.ReadFacts(filepath.Join(run, "data.json"))
	if err != nil || facts == nil || fmt.Sprint(facts.Classes) != "[dark light]" || facts.Size != 16 || facts.Images != 24 || facts.Dir != "pictures" || facts.Absolute != filepath.Join(home, "pictures") {
		t.Fatalf("%+v, %v", facts, err)
	}
	t.Run("classes by name", func(t *testing.T) { testClassesByName(t, run) })
	t.Run("other images", func(t *testing.T) { testOtherImages(t, run) })
	t.Run("another working folder", func(t *testing.T) { testAnotherWorkingFolder(t, run) })
	t.Run("sets that aren't there", func(t *testing.T) { testMissingSets(t, run) })
	t.Run("from before", func(t *testing.T) { testRunFromBefore(t, run) })
	t.Run("goes on", func(t *testing.T) { testGoesOn(t, home) })
}

// testClassesByName evaluates on folders that have some of the classes, one more, or others.
func testClassesByName(t *testing.T, run string) {
	measured := func(v any, dir string, args ...string) {
		okJSON(t, v, append([]string{"eval", "--run", run, "--json", "--threads", "1", "--quiet", "--data-dir", dir, "--noise", "0"}, args...)...)
	}
	all, light, more := t.TempDir(), t.TempDir(), t.TempDir()
	ownPictures(t, filepath.Join(all, "test"), "dark", 5, 24)
	for _, dir := range []string{all, light, more} {
		ownPictures(t, filepath.Join(dir, "test"), "light", 3, 24)
	}
	ownPictures(t, filepath.Join(more, "test"), "aaa", 1, 24)
	var both, one eval.Result
	measured(&both, all)
	measured(&one, light)
	dark := t.TempDir()
	ownPictures(t, filepath.Join(dark, "test"), "dark", 5, 24)
	var other eval.Result
	measured(&other, dark)
	// Means over all images are those over the images of each class; of float64, in another order.
	if one.Images != 3 || other.Images != 5 || math.Abs(8*both.Loss-3*one.Loss-5*other.Loss) > 1e-9 || math.Abs(8*both.Accuracy-3*one.Accuracy-5*other.Accuracy) > 1e-9 {
		t.Errorf("on all classes %+v, on light alone %+v, on dark alone %+v", both, one, other)
	}
	flat := t.TempDir() // class folders alone: all there is, and not the run's
	ownPictures(t, flat, "light", 3, 24)
	var whole eval.Result
	if measured(&whole, flat); whole.Split != "all" || whole.Images != 3 || whole.Loss != one.Loss {
		t.Errorf("of another folder without test images %+v, with %+v", whole, one)
	}
	var scores calibration.ProperScores
	measured(&scores, light, "--task", "nll")
	if math.Abs(scores.NLL-one.Loss) > 1e-9 || scores.Accuracy != one.Accuracy {
		t.Errorf("nll %+v, accuracy %+v", scores, one)
	}
	var attacks robust.Report
	okJSON(t, &attacks, "attack", "--run", run, "--data-dir", light, "--json", "--threads", "1", "--quiet", "--limit", "3", "--epsilon", "1", "--pgd-steps", "1", "--restarts", "1", "--attack-noise", "0", "--chains", "1")
	if a := attacks.Attacks[0]; a.Points[0].Accuracy != one.Accuracy || a.Split != "test" {
		t.Errorf("attacked %+v, accuracy %+v", a, one)
	}
	unknown := []string{filepath.Join(more, "test", "aaa"), "is no class", "it knows dark, light"}
	for _, args := range [][]string{{"eval"}, {"eval", "--refine", "1"}, {"eval", "--task", "nll"}, {"eval", "--task", "calibration"}, {"eval", "--task", "ood", "--ood", "uniform"}, {"attack"}} {
		sentence(t, exitData, unknown, append(args, "--run", run, "--data-dir", more, "--threads", "1")...)
	}
}

// testOtherImages gives the run, and a training, test images of other sizes than the network's.
func testOtherImages(t *testing.T, run string) {
	config, err := os.ReadFile(filepath.Join(run, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	asTheyAre := strings.Replace(string(config), "size: 16", "size: 0", 1)
	if err := os.WriteFile(filepath.Join(run, "config.yaml"), []byte(asTheyAre), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(filepath.Join(run, "config.yaml"), config, 0o600)
	for _, side := range []int{8, 24} {
		dir := t.TempDir()
		ownPictures(t, filepath.Join(dir, "test"), "light", 60, side)
		want := []string{dir, fmt.Sprintf("test images of %d×%d pixels (channels: 3), the network takes 16×16 (3)", side, side)}
		for _, args := range [][]string{{"eval"}, {"eval", "--task", "calibration"}, {"eval", "--task", "ood", "--ood", "uniform"}, {"attack"}} {
			sentence(t, exitData, want, append(args, "--run", run, "--data-dir", dir, "--threads", "1")...)
		}
		for _, class := range []string{"dark", "light"} {
			ownPictures(t, filepath.Join(dir, "train"), class, 4, 16)
		}
		out := filepath.Join(t.TempDir(), "run")
		sentence(t, exitData, want, ownFlags("--out", out, "--data-dir", dir, "--set", "data.size=0")...)
		if _, err := os.Stat(out); err == nil {
			t.Error("a run was begun")
		}
	}
}

// testAnotherWorkingFolder uses the run where its pictures can't be found by the path that was typed.
func testAnotherWorkingFolder(t *testing.T, run string) {
	t.Chdir(t.TempDir())
	ok(t, "eval", "--run", run, "--threads", "1")
	ok(t, "sample", "--run", run, "--threads", "1", "--fresh", "--n", "3", "--steps", "1", "--out", "s.png", "--gif", "s.gif")
	ok(t, "train", "--resume", run, "--quiet")
	ownPictures(t, "pictures", "light", 1, 8) // others of that name
	r := do(t, "eval", "--run", run, "--threads", "1")
	if where := filepath.Join(filepath.Dir(run), "pictures"); r.code != 0 || !strings.Contains(r.stderr, "images are read from "+where) {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	there := filepath.Join(filepath.Dir(run), "pictures")
	if err := os.Rename(there, there+" moved"); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{"eval", "--run", run}, {"sample", "--run", run, "--fresh", "--n", "3", "--out", "s.png"}, {"train", "--resume", run}} {
		sentence(t, exitData, []string{"pictures: no such folder of images, and neither is there " + there, "--data-dir"}, args...)
	}
	ok(t, "eval", "--run", run, "--threads", "1", "--data-dir", there+" moved")
	ok(t, "train", "--resume", run, "--quiet", "--data-dir", there+" moved") // the same pictures
	if err := os.Rename(there+" moved", there); err != nil {
		t.Fatal(err)
	}
	ok(t, "train", "--resume", run, "--quiet", "--data-dir", there)
}

// testMissingSets compares with sets of which one can be had, and asks tasks for splits.
func testMissingSets(t *testing.T, run string) {
	var r ood.Result
	okJSON(t, &r, "eval", "--run", run, "--threads", "1", "--json", "--quiet", "--task", "ood", "--ood", "nosuch, uniform,interp,folder:nowhere", "--limit", "5")
	if len(r.Sets) != 4 || len(r.Figures) != 3 || r.Sets[1].Images != 5 || r.Sets[0].Missing == "" || !strings.Contains(r.Sets[2].Missing, "8 test images") || !strings.Contains(r.Sets[3].Missing, "nowhere") {
		t.Errorf("%+v", r)
	}
	out := ok(t, "eval", "--run", run, "--threads", "1", "--quiet", "--task", "ood", "--ood", "uniform,interp", "--limit", "5", "--split", "valid")
	if !strings.Contains(out, "folder valid, 2 images") || !strings.Contains(out, "not measured: interp: 2 valid images") {
		t.Errorf("got %s", out)
	}
	sentence(t, exitData, []string{"nowhere"}, "eval", "--run", run, "--threads", "1", "--task", "ood", "--ood", "folder:nowhere")
	for _, task := range []string{"samples", "distal", "chains"} {
		sentence(t, exitUsage, []string{"--split goes without --task " + task}, "eval", "--run", run, "--task", task, "--split", "valid")
	}
	dir := t.TempDir() // no test images
	for _, class := range []string{"dark", "light"} {
		ownPictures(t, dir, class, 12, 24)
	}
	for _, task := range []string{"accuracy", "calibration", "ood", "samples"} {
		r := do(t, "eval", "--run", run, "--threads", "1", "--data-dir", dir, "--task", task, "--ood", "uniform", "--limit", "5")
		if r.code != 0 || !strings.Contains(r.stderr, `no test images (`+dir+`: has no sub-folder "test"`) {
			t.Errorf("%s: got %d %s", task, r.code, r.stderr)
		}
	}
	sentence(t, exitData, []string{`no sub-folder "test"`}, "eval", "--run", run, "--threads", "1", "--data-dir", dir, "--split", "test")
}

// testRunFromBefore uses a copy of the run that doesn't have its data.json, or a damaged one.
func testRunFromBefore(t *testing.T, run string) {
	old := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(old, os.DirFS(run)); err != nil {
		t.Fatal(err)
	}
	facts := filepath.Join(old, "data.json")
	for _, text := range []string{"", "{", `{"classes":["dark"],"channels":3,"size":16}`, `{"classes":["dark","light"],"channels":3,"size":24}`, "[]"} {
		if err := os.WriteFile(facts, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		sentence(t, exitData, []string{facts}, "eval", "--run", old, "--threads", "1")
	}
	sentence(t, exitData, []string{facts}, "train", "--resume", old)
	if err := os.Remove(facts); err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(filepath.Dir(run), "pictures")
	said := func(want string, args ...string) {
		t.Helper()
		if r := do(t, args...); r.code != 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("jem %s: got %d %s", strings.Join(args, " "), r.code, r.stderr)
		}
	}
	said("from before runs kept the names", "eval", "--run", old, "--threads", "1", "--data-dir", here)
	more := t.TempDir()
	for _, class := range []string{"a", "b", "c"} {
		ownPictures(t, filepath.Join(more, "train"), class, 1, 16)
		ownPictures(t, filepath.Join(more, "test"), class, 1, 16)
	}
	config, err := os.ReadFile(filepath.Join(old, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	nowhere := strings.Replace(string(config), "dir: "+here, "dir: nowhere", 1) // then nothing tells the names
	if err := os.WriteFile(filepath.Join(old, "config.yaml"), []byte(nowhere), 0o600); err != nil || nowhere == string(config) {
		t.Fatal(err, string(config))
	}
	sentence(t, exitData, []string{"test images of 3 classes", "the network knows 2"}, "eval", "--run", old, "--threads", "1", "--data-dir", more)
	said("from before what it was trained on was kept", "train", "--resume", old, "--allow-changes", "--data-dir", here, "--threads", "1")
	if f, err := feed.ReadFacts(facts); err != nil || f == nil || f.Images != 24 {
		t.Errorf("kept since: %+v, %v", f, err)
	}
}

// testGoesOn resumes the run with other pictures than it began with.
func testGoesOn(t *testing.T, home string) {
	train := filepath.Join(home, "pictures", "train")
	resume := func(more ...string) []string {
		return append([]string{"train", "--resume", filepath.Join(home, "run"), "--quiet"}, more...)
	}
	dark, hidden := filepath.Join(train, "dark"), filepath.Join(home, "hidden")
	for _, change := range []struct {
		about    string
		from, to string
		code     int
		want     []string
	}{
		{"a class renamed", dark, filepath.Join(train, "zebra"), exitData, []string{"zebra: is no class", "it knows dark, light"}},
		{"a class less", dark, hidden, exitConfig, []string{"data.dir: the run began with other images (24 to train on, now there are 12)", "--allow-changes"}},
		{"a picture less", filepath.Join(dark, "11.png"), hidden, exitConfig, []string{"24 to train on, now there are 23"}},
		{"two of other names", filepath.Join(dark, "00.png"), filepath.Join(dark, "99.png"), exitConfig, []string{"24 to train on, of which not all are the same now"}},
	} {
		if err := os.Rename(change.from, change.to); err != nil {
			t.Fatal(err)
		}
		sentence(t, change.code, change.want, resume()...)
		if err := os.Rename(change.to, change.from); err != nil {
			t.Fatal(err)
		}
	}
	ok(t, resume()...)
	if err := os.Remove(filepath.Join(dark, "11.png")); err != nil {
		t.Fatal(err)
	}
	if r := do(t, "eval", "--run", filepath.Join(home, "run"), "--split", "valid"); r.code != 0 || !strings.Contains(r.stderr, "the training images are not those that the run began with") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	r := do(t, "train", "--resume", filepath.Join(home, "run"), "--allow-changes", "--steps", "3", "--threads", "1")
	if r.code != 0 || !strings.Contains(r.stderr, "other images than it began with: 24 to train on, now there are 23") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	if records, err := os.ReadFile(filepath.Join(home, "run", "metrics.jsonl")); err != nil || !strings.Contains(string(records), `"step":2,"kind":"note","text":"the run goes on with other images than it began with: 24`) {
		t.Errorf("%v: %s", err, records)
	}
	ok(t, resume()...) // those of now are the run's
	if err := os.Remove(filepath.Join(home, "pictures", "test", "dark", "00.png")); err != nil {
		t.Fatal(err)
	}
	if r := do(t, "train", "--resume", filepath.Join(home, "run")); r.code != 0 || !strings.Contains(r.stderr, "the test images are not those that the run began with") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
}
