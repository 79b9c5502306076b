package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jem/internal/rundir"
	"jem/train/journal"
)

// stateFrom is the second line that jem status prints.
func stateFrom(t *testing.T, run string) string {
	t.Helper()
	lines := strings.Split(ok(t, "status", run), "\n")
	return strings.Join(strings.Fields(lines[1]), " ")
}

func TestStatusFollowsARun(t *testing.T) {
	run := finished(t, writeCIFAR(t))
	p := rundir.Path(run)
	if got := stateFrom(t, run); got != "state finished" {
		t.Errorf("got %q", got)
	}
	if err := os.RemoveAll(filepath.Join(p.Checkpoints(), "step-00000003")); err != nil {
		t.Fatal(err)
	}
	if got := stateFrom(t, run); got != "state stopped; jem train --resume goes on" {
		t.Errorf("got %q", got)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(run, ".lock.json")
	for name, want := range map[string]string{
		host:        "state killed: process 1 on " + host + " since ",
		"elsewhere": "state unknown: process 1 on elsewhere since ",
	} {
		put(t, run, ".lock.json", fmt.Appendf(nil, `{"pid":1,"host":%q,"start":"2026-11-30T10:00:00Z"}`, name))
		if got := stateFrom(t, run); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := os.Remove(left); err != nil {
		t.Fatal(err)
	}
	put(t, run, "env.json", []byte(`[{"start":"2026-11-30T10:00:00Z","go":"go1.26"},{"start":"2026-11-30T11:00:00Z","go":"go1.26","ranks":4,"machines":2}]`))
	if out := ok(t, "status", run); !strings.Contains(out, ":00, with 4 ranks on 2 machines\n") {
		t.Errorf("got\n%s", out)
	}
	d, err := rundir.Open(run)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, want := stateFrom(t, run), fmt.Sprintf("state running: process %d on %s since ", os.Getpid(), host); !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStatusOfSeveralRuns(t *testing.T) {
	dir := settled(t)
	out := ok(t, "status", dir)
	for _, want := range []string{"RUN   STATE    STEP  OF  S/STEP  LEFT", "fast  stopped  4     4   3.000   0s", "slow  stopped  3     4   1.000   1s"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	var all []journal.Status
	okJSON(t, &all, "status", filepath.Join(dir, "slow"), "--json")
	if len(all) != 1 || all[0].Run != "slow" || all[0].State != journal.Stopped || all[0].Checkpoint != nil || *all[0].LeftSeconds != 1 {
		t.Errorf("got %+v", all)
	}
	for code, args := range map[int][]string{exitUsage: {"status"}, exitData: {"status", t.TempDir()}} {
		if r := do(t, args...); r.code != code || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d\n%s", args, r.code, r.stderr)
		}
	}
}

// A run's figures are at its port while it trains, and in its folder afterwards.
func TestFiguresForPrometheus(t *testing.T) {
	out := filepath.Join(t.TempDir(), "mine")
	args := small(writeCIFAR(t), out, "--steps", "100000", "--threads", "1", "--log-format", "json", "--metrics-listen", ":0")
	cmd := exec.Command(jem, args...)
	code := listen(t, cmd, func(line string) {
		_, rest, there := strings.Cut(line, `"url":"`)
		url, _, _ := strings.Cut(rest, `"`)
		if !there {
			return
		}
		if text := scrape(t, url); !strings.Contains(text, `jem_planned_steps{run="mine"} 100000`) || !strings.Contains(text, `version="v1.2.3"`) {
			t.Errorf("%s says\n%s", url, text)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
	})
	if code != exitStopped {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(rundir.Path(out).Gauges())
	if err != nil || !strings.Contains(string(text), `jem_running{run="mine"} 0`) {
		t.Errorf("%v\n%s", err, text)
	}
	if got := stateFrom(t, out); !strings.HasPrefix(got, "state stopped") {
		t.Errorf("got %q", got)
	}
}

// scrape is what a page says.
func scrape(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	r, err := client.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func TestWhereFiguresGo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	data, dir := writeCIFAR(t), t.TempDir()
	for _, tc := range []struct {
		name, flag string
		code       int
		want       string
	}{
		{"a port that is taken", "--metrics-listen=" + taken.Addr().String(), exitIO, "jem: --metrics-listen " + taken.Addr().String() + ": another process listens there"},
		{"no address", "--metrics-listen=9464", exitUsage, `jem: --metrics-listen "9464": want HOST:PORT`},
		{"a folder", "--metrics-file=" + dir, exitUsage, "jem: --metrics-file: " + dir},
		{"no folder", "--metrics-file=" + filepath.Join(dir, "none", "x.prom"), exitIO, "x.prom: there is no folder "},
	} {
		out := filepath.Join(t.TempDir(), "run")
		r := do(t, small(data, out, "--quiet", tc.flag)...)
		if r.code != tc.code || !strings.Contains(r.stderr, tc.want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d\n%s", tc.name, r.code, r.stderr)
		}
	}
	elsewhere, out := filepath.Join(dir, "mine.prom"), filepath.Join(t.TempDir(), "run")
	ok(t, small(data, out, "--quiet", "--metrics-file", elsewhere)...)
	if text, err := os.ReadFile(elsewhere); err != nil || !strings.Contains(string(text), `jem_step{run="run"} 3`) {
		t.Errorf("%v\n%s", err, text)
	}
	ok(t, small(data, filepath.Join(dir, "run"), "--quiet", "--metrics-file=")...)
	for _, run := range []string{out, filepath.Join(dir, "run")} {
		if _, err := os.Stat(rundir.Path(run).Gauges()); err == nil {
			t.Errorf("%s has a file that wasn't asked for", run)
		}
	}
}
