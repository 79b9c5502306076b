package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// contents lists what is below a folder: links with where they lead, files with their SHA-256.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		what := ""
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			what, err = os.Readlink(path)
		case e.Type().IsRegular():
			var content []byte
			content, err = os.ReadFile(path)
			sum := sha256.Sum256(content)
			what = hex.EncodeToString(sum[:])
		}
		fmt.Fprintln(&b, path, e.Type(), what)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// refused wants a command to end with exit code 73 and one sentence, and everything below
// dir as it was.
func refused(t *testing.T, dir string, says []string, args ...string) {
	t.Helper()
	before := contents(t, dir)
	r := do(t, args...)
	if r.code != exitBusy || !strings.HasPrefix(r.stderr, "jem: ") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("jem %s: exit code %d, want %d and one line\n%s", strings.Join(args, " "), r.code, exitBusy, r.stderr)
	}
	for _, s := range says {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("it doesn't say %q: %s", s, r.stderr)
		}
	}
	if after := contents(t, dir); after != before {
		t.Errorf("jem %s left\n%s\nwhere there was\n%s", strings.Join(args, " "), after, before)
	}
}

// project is a folder of someone's work whose names are those that a run uses, too.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"metrics.jsonl", "env.json", "report.html", ".x.tmp-7", ".env.json.tmp-7", ".lock", "samples/step-5.png", "checkpoints/step-00000001.tmp-7/x",
		"runs/a", "measures/b", "tables/README.md", "rates.json", "attack.json", "curve.png", "unfinished-pgd-0123456789ab/x", "growth.json",
	} {
		put(t, dir, name, []byte("the only copy"))
	}
	return dir
}

func TestAFolderOfOtherThingsIsRefusedUntouched(t *testing.T) {
	data, run, dir := writeCIFAR(t), imported(t), project(t)
	says := []string{dir + " holds .", " more, which ", "name a folder that is new or empty"}
	for _, args := range [][]string{
		small(data, dir, "--quiet"),
		small(data, data, "--quiet", "--out", dir+"/samples/.."),
		{"reproduce", "semi", "--scale", "smoke", "--quiet", "--out", dir},
		{"reproduce", "semi", "--scale", "smoke", "--dry-run", "--quiet", "--out", dir},
		{"reproduce", "semi", "--scale", "smoke", "--only-ready", "--quiet", "--out", dir},
		{"attack", "--run", run, "--data-dir", data, "--quiet", "--out", dir},
		{"convert", official + "legacy.pt", dir},
		{"bench", "growth", "--out", dir},
	} {
		refused(t, dir, says, args...)
	}
	refused(t, data, []string{data + " holds cifar-10-batches-bin, which"}, small(data, data, "--quiet")...)
	refused(t, run, []string{"holds a run already"}, small(data, run, "--quiet")...)
	refused(t, run, []string{"holds a run already"}, "convert", official+"legacy.pt", run)
	refused(t, run, []string{run + " holds .jem-run"}, "attack", "--run", run, "--data-dir", data, "--quiet", "--out", run)
	refused(t, run, []string{run + " holds .jem-run"}, "reproduce", "semi", "--scale", "smoke", "--quiet", "--out", run)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err == nil {
		refused(t, dir, []string{link + " holds "}, small(data, link, "--quiet")...)
	}
}

// imported is a run's folder made of weights from elsewhere.
func imported(t *testing.T) string {
	t.Helper()
	run := filepath.Join(t.TempDir(), "run")
	ok(t, "convert", official+"legacy.pt", run)
	return run
}

// --resume of a folder with a configuration of its own doesn't make it a run's.
func TestResumeLeavesAFolderThatIsNoRun(t *testing.T) {
	dir := project(t)
	put(t, dir, "config.yaml", []byte(ok(t, "config", "show", "--preset", "cifar10-small")))
	before := contents(t, dir)
	if r := do(t, "train", "--resume", dir, "--quiet"); r.code != exitData || !strings.Contains(r.stderr, "is no run folder") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	if after := contents(t, dir); after != before {
		t.Errorf("it left\n%s\nwhere there was\n%s", after, before)
	}
}

func TestAnEmptyFolderAndPublishedFilesBesideItAreFine(t *testing.T) {
	data := writeCIFAR(t)
	t.Chdir(data)
	if err := os.MkdirAll("runs/empty", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"runs/empty", "runs/new", "cifar-10-batches-bin/run"} {
		ok(t, small(".", out, "--quiet")...)
	}
}

// Wherever a process dies that makes a run's folder, the folder is taken over.
func TestAHalfMadeRunIsTakenOver(t *testing.T) {
	points := []string{"claim.mark.before:1", "claim.mark.after:1"}
	for n := 1; n <= 3; n++ { // .lock.json, env.json, config.yaml
		for _, p := range []string{"write.before", "write.after", "rename.before", "rename.after", "syncdir.after"} {
			points = append(points, fmt.Sprintf("file.%s:%d", p, n))
		}
	}
	in := official + "legacy.pt"
	for _, point := range points {
		out := filepath.Join(t.TempDir(), "run")
		if r := doWith(t, []string{"JEM_FAILPOINT=" + point + ":exit"}, "convert", in, out); r.code != 137 {
			t.Errorf("%s: exit code %d: %s", point, r.code, r.stderr)
		}
		if _, err := os.Stat(filepath.Join(out, "config.yaml")); err == nil { // it is a run by now
			refused(t, out, []string{"holds a run already"}, "convert", in, out)
			continue
		}
		if r := do(t, "convert", in, out); r.code != exitDone {
			t.Errorf("%s: exit code %d: %s", point, r.code, r.stderr)
		}
		if left, _ := filepath.Glob(filepath.Join(out, ".*.tmp-*")); len(left) > 0 {
			t.Errorf("%s: left %v", point, left)
		}
	}
}

// A run among the pictures would be a class, and a picture among them an image, the next time.
func TestNothingIsWrittenAmongThePicturesRead(t *testing.T) {
	dir := t.TempDir()
	pics := filepath.Join(dir, "pics")
	for _, class := range []string{"cat", "dog"} {
		for i := range 12 {
			put(t, pics, filepath.Join(class, string(rune('a'+i))+".png"), square(16))
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(pics, link); err != nil {
		t.Skip(err)
	}
	file := put(t, t.TempDir(), "c.yaml", []byte("data:\n  dir: "+pics+"\n"))
	train := func(out string, more ...string) []string {
		return append([]string{"train", "--preset", "folder", "--out", out, "--steps", "1", "--batch", "2", "--sgld-steps", "1",
			"--buffer-size", "20", "--set", "model.width=1", "--set", "data.size=16", "--quiet"}, more...)
	}
	lies := []string{"whose pictures are read"}
	for _, out := range []string{"run", "cat/run", "new/deep/run"} {
		refused(t, dir, lies, train(filepath.Join(pics, out), "--data-dir", pics)...)
	}
	refused(t, dir, lies, train(filepath.Join(link, "run"), "--data-dir", pics)...)
	refused(t, dir, lies, train(filepath.Join(pics, "run"), "--data-dir", link)...)
	refused(t, dir, lies, train(filepath.Join(pics, "run"), "--config", file)...)
	refused(t, dir, []string{pics + " holds cat, dog, which"}, train(pics, "--data-dir", pics)...)
	refused(t, dir, []string{dir + " holds link, pics, which"}, train(dir, "--data-dir", pics)...)
	run := filepath.Join(dir, "runs", "first")
	ok(t, train(run, "--data-dir", pics)...)
	for _, args := range [][]string{
		{"eval", "--task", "calibration", "--split", "valid", "--pictures", filepath.Join(link, "cat")},
		{"attack", "--split", "valid", "--out", filepath.Join(pics, "attack")},
		{"sample", "--n", "2", "--out", filepath.Join(pics, "cat", "new.png")},
		{"sample", "--n", "2", "--gif", filepath.Join(pics, "cat", "new.gif")},
	} {
		refused(t, dir, lies, append(args, "--run", run, "--quiet")...)
	}
	for _, class := range []string{"cat", "dog"} {
		for i := range 12 {
			put(t, run, fmt.Sprintf("samples/%s/%d.png", class, i), square(16))
		}
	}
	refused(t, run, []string{"has the pictures of"}, "train", "--resume", run, "--allow-changes", "--data-dir", filepath.Join(run, "samples"), "--quiet")
}

// Folders that a command has written are written again: an attack's, a reproduction's, and
// one of pictures, beside whose own names everything stays.
func TestFoldersAreUsedAgain(t *testing.T) {
	data, run, dir := writeCIFAR(t), imported(t), t.TempDir()
	mine := put(t, dir, "attacked/notes.txt", []byte("mine"))
	attack := []string{"attack", "--run", run, "--data-dir", data, "--quiet", "--conv-algo", "winograd", "--limit", "2", "--epsilon", "4", "--pgd-steps", "1", "--restarts", "1", "--chains", "1", "--out"}
	refused(t, dir, []string{"holds notes.txt"}, append(attack, filepath.Join(dir, "attacked"))...)
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	killed := doWith(t, []string{"JEM_FAILPOINT=file.write.after:3:exit"}, append(attack, filepath.Join(dir, "attacked"))...)
	if killed.code != 137 {
		t.Errorf("exit code %d: %s", killed.code, killed.stderr)
	}
	put(t, dir, "attacked/notes.txt", []byte("mine"))
	for range 2 {
		ok(t, append(attack, filepath.Join(dir, "attacked"))...)
	}
	plan := []string{"reproduce", "stability", "--scale", "smoke", "--only-ready", "--quiet", "--out", filepath.Join(dir, "lab")}
	ok(t, plan...)
	if err := os.Remove(filepath.Join(dir, "lab", ".jem-reproduce")); err != nil { // as one of before there were markers
		t.Fatal(err)
	}
	ok(t, plan...)
	put(t, dir, "lab/notes.txt", []byte("mine"))
	ok(t, plan...)

	pictures := filepath.Join(dir, "figures")
	put(t, pictures, "holiday.jpg", []byte("mine"))
	put(t, pictures, ".x.tmp-7", []byte("mine"))
	put(t, pictures, "distal-1.png", []byte("old"))
	for _, args := range [][]string{{"distal", "--limit", "1"}, {"chains", "--n", "2", "--steps", "16", "--every", "1"}} {
		ok(t, append([]string{"eval", "--run", run, "--data-dir", data, "--quiet", "--pictures", pictures, "--task"}, args...)...)
	}
	for path, want := range map[string]string{"figures/holiday.jpg": "mine", "figures/.x.tmp-7": "mine", "attacked/notes.txt": "mine", "lab/notes.txt": "mine", "figures/distal-1.png": "\x89PNG", "figures/chains-log-px.png": "\x89PNG"} {
		if b, err := os.ReadFile(filepath.Join(dir, path)); err != nil || !strings.HasPrefix(string(b), want) {
			t.Errorf("%s: %.10q, %v", path, b, err)
		}
	}
}

// Processes that begin a run in one folder at the same time: one gets it.
func TestOneOfManyProcessesGetsTheFolder(t *testing.T) {
	out, codes := filepath.Join(t.TempDir(), "run"), make(chan result)
	for range 6 {
		go func() { codes <- do(t, "convert", official+"legacy.pt", out) }()
	}
	done := 0
	for range 6 {
		select {
		case r := <-codes:
			if r.code == exitDone {
				done++
			} else if r.code != exitBusy || strings.Contains(r.stderr, "did not put there") {
				t.Errorf("exit code %d: %s", r.code, r.stderr)
			}
		case <-time.After(time.Minute):
			t.Fatal("hangs")
		}
	}
	if done != 1 {
		t.Errorf("%d of 6 got it", done)
	}
}
