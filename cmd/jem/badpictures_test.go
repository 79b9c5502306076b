package main

import (
	"bytes"
	"encoding/csv"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shape is a dark disc or bar on a transparent ground, as icons are.
func shape(disc bool) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	for i := range 32 * 32 {
		x, y := i%32-16, i/32-16
		if disc && x*x+y*y < 100 || !disc && y*y < 16 {
			img.SetNRGBA(i%32, i/32, color.NRGBA{A: 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// photo is a blank JPEG.
func photo(w, h int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// badFolder holds pictures of which some can't be read.
func badFolder(t *testing.T) (dir string, bad []string) {
	dir = t.TempDir()
	put(t, dir, "cat/bar.png", shape(false))
	put(t, dir, "cat/disc.png", shape(true))
	put(t, dir, "dog/phone.jpg", photo(60, 40))
	put(t, dir, "dog/square.png", square(8))
	return dir, []string{
		put(t, dir, "cat/cut.png", shape(true)[:60]),
		put(t, dir, "dog/photo.jpg", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")),
		put(t, dir, "dog/server.png", []byte("<!DOCTYPE html>")),
	}
}

// TestScoreGoesOnAfterBadPictures: the others are scored and written, the bad ones listed in every
// format, and the exit code says so. Icons that differ on white differ.
func TestScoreGoesOnAfterBadPictures(t *testing.T) {
	dir, bad := badFolder(t)
	out := filepath.Join(t.TempDir(), "s.csv")
	args := []string{"score", official + "zip.pt", dir, "--threads", "1", "--conv-algo", "direct"}
	r := do(t, append(args, "--out", out)...)
	for _, want := range append([]string{"3 of 7 pictures can't be read", "HEIC", "a web page", "2 of 4 pictures are transparent in places: they were laid on white"}, bad...) {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in:\n%s", want, r.stderr)
		}
	}
	f, err := os.Open(out)
	if r.code != exitData || err != nil {
		t.Fatalf("exit code %d, want %d with rows written: %v", r.code, exitData, err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 8 || rows[0][6] != "error" {
		t.Fatalf("%v, %v", rows, err)
	}
	for _, row := range rows[1:] {
		if isBad := strings.Contains(strings.Join(bad, " "), row[0]); isBad != (row[4] == "") || isBad != (row[6] != "") {
			t.Errorf("row %q", row)
		}
	}
	if rows[1][4] == rows[3][4] {
		t.Errorf("a disc and a bar have one score, %s: are both black?", rows[1][4])
	}
	if r := do(t, args...); r.code != exitData || strings.Count(r.stdout, "\n") != 8 || !strings.Contains(r.stdout, "a web page") {
		t.Errorf("table:\n%s", r.stdout)
	}
	if r := do(t, append(args, "--ground", "blue")...); r.code != exitUsage || !strings.Contains(r.stderr, "want white, black, stored") {
		t.Errorf("--ground blue: exit code %d\n%s", r.code, r.stderr)
	}
	if r := do(t, append(args, "--json", "--ground", "black")...); r.code != exitData || !strings.Contains(r.stderr, "laid on black") || strings.Count(r.stdout, `"error":`) != 3 || strings.Count(r.stdout, `"log_px":`) != 4 {
		t.Errorf("JSON:\n%s", r.stdout)
	}
	ok(t, "score", official+"zip.pt", put(t, dir, "camera.jpg", photo(4200, 4000)), "--conv-algo", "direct")
	if r := do(t, "score", official+"zip.pt", bad[0]); r.code != exitData || strings.Contains(r.stderr, "of 1") || r.stdout != "" {
		t.Errorf("one bad picture: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// TestTrainNamesAllBadPictures: at once, and passes over them if it is told to; so do the commands
// that read the run.
func TestTrainNamesAllBadPictures(t *testing.T) {
	dir, bad := badFolder(t)
	run := filepath.Join(t.TempDir(), "run")
	args := append(trainOn("folder", dir), "--out", run, "--set", "data.size=8", "--set", "data.crop=0", "--set", "sampler.buffer=4", "--set", "sampler.steps=1", "--set", "model.depth=10", "--threads", "1")
	r := do(t, args...)
	for _, want := range append([]string{"3 of 7 pictures can't be read", "--skip-bad (data.skip_bad)"}, bad...) {
		if r.code != exitData || !strings.Contains(r.stderr, want) {
			t.Errorf("exit code %d, no %q in:\n%s", r.code, want, r.stderr)
		}
	}
	if _, err := os.Stat(run); err == nil {
		t.Error("a run folder is left behind")
	}
	if r := do(t, append(args, "--skip-bad", "--quiet=false")...); r.code != exitDone || !strings.Contains(r.stderr, "3 of 7 pictures can't be read: they were passed over") {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	eval := []string{"eval", run, "--task", "ood", "--ood", "folder:" + dir, "--split", "train", "--scores", "px", "--threads", "1"}
	ok(t, eval...) // as the run says
	config := filepath.Join(run, "config.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, bytes.Replace(text, []byte("skip_bad: true"), []byte("skip_bad: false"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := do(t, eval...); r.code != exitData || !strings.Contains(r.stderr, "3 of 7 pictures") {
		t.Errorf("exit code %d\n%s", r.code, r.stderr)
	}
	ok(t, append(eval, "--skip-bad")...)
}
