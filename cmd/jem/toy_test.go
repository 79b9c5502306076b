package main

import (
	"bytes"
	"encoding/json"
	"image/gif"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jem/toy"
)

// TestToyLeavesAPage with what goes with it; its own points, read back, can be had again; a later one takes its place.
func TestToyLeavesAPage(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "toy")
	var said struct {
		Page     string
		Accuracy float64
		KL       float64
	}
	okJSON(t, &said, "toy", "--data", "gaussians", "--out", out, "--set", "train.steps=60", "--json")
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if said.Page != filepath.Join(out, "index.html") || !(said.Accuracy > 0.5) || !(said.KL > 0) {
		t.Errorf("it says %+v", said)
	}
	if page := string(read("index.html")); !strings.HasPrefix(page, "<!DOCTYPE html>") && !strings.HasPrefix(page, "<!doctype html>") {
		t.Errorf("the page begins %.60s", page)
	}
	if _, err := gif.DecodeAll(bytes.NewReader(read("toy.gif"))); err != nil {
		t.Error(err)
	}
	if _, err := png.Decode(bytes.NewReader(read("toy.png"))); err != nil {
		t.Error(err)
	}
	var r toy.Result
	if err := json.Unmarshal(read("result.json"), &r); err != nil || r.Truth == nil || r.Truth.KL != said.KL || !strings.Contains(string(read("config.yaml")), "steps: 60") {
		t.Errorf("%v, %+v", err, r.Run)
	}
	points := filepath.Join(dir, "points.csv")
	if err := os.WriteFile(points, read("points.csv"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := ok(t, "toy", "--data", points, "--out", out, "--set", "train.steps=5"); !strings.HasPrefix(got, filepath.Join(out, "index.html")+": ") {
		t.Errorf("it prints %q", got)
	}
	if err := json.Unmarshal(read("result.json"), &r); err != nil || r.Name != "points.csv" || len(r.Train.X)+len(r.HeldOut.X) != 1500 {
		t.Errorf("%v: %s with %d points", err, r.Name, len(r.Train.X)+len(r.HeldOut.X))
	}
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != len(toyFiles) {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// TestToyRefuses what it can't do, before anything is written.
func TestToyRefuses(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	taken := filepath.Join(dir, "taken")
	put(t, dir, "bad.csv", []byte("1,2,a\n1,x,b\n"))
	put(t, dir, "taken/letter.txt", []byte("dear"))
	put(t, dir, "mine/points.csv", []byte("1,2,a\n"))
	put(t, dir, "file", nil)
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, `--data "rinks"`, []string{"--data", "rinks"}},
		{exitData, "bad.csv: line 2 has", []string{"--data", filepath.Join(dir, "bad.csv")}},
		{exitData, "no file", []string{"--data", dir}},
		{exitConfig, "train.steps", []string{"--set", "train.steps=-1"}},
		{exitConfig, "outliers", []string{"--set", "objective.bce=1"}},
		{exitConfig, "optim.lr", []string{"--set", "optim.rl=1"}},
		{exitUsage, "unexpected argument", []string{"rings"}},
		{exitBusy, "letter.txt", []string{"--out", taken}},
		{exitBusy, "points.csv", []string{"--out", filepath.Join(dir, "mine")}},
		{exitDiverged, "diverged at step 1", []string{"--set", "optim.lr=1e30", "--set", "train.steps=1"}},
		{exitIO, "file", []string{"--out", filepath.Join(dir, "file")}},
	} {
		r := do(t, append([]string{"toy", "--out", out}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.says) || strings.Contains(r.stderr, "goroutine") {
			t.Errorf("jem toy %s: exit code %d, want %d with %q\n%s", strings.Join(c.args, " "), r.code, c.code, c.says, r.stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
}

// TestToyStops by a signal, with nothing written.
func TestToyStops(t *testing.T) {
	out := filepath.Join(t.TempDir(), "toy")
	cmd := exec.Command(jem, "toy", "--out", out, "--set", "train.steps=1000000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its code is looked at
	if code := cmd.ProcessState.ExitCode(); code != exitStopped {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
}
