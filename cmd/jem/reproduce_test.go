package main

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jem/backend/philox"
)

// tableCells are the cells of a table without hours, which differ from time to time.
func tableCells(t *testing.T, out, id string) string {
	t.Helper()
	f, err := os.Open(filepath.Join(out, "tables", id+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	hours := slices.Index(rows[0], "hours")
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(strings.Join(slices.Delete(r, hours, hours+1), ",") + "\n")
	}
	return b.String()
}

// reproduceSmall makes the smallest table, of two runs.
func reproduceSmall(out string) *exec.Cmd {
	return exec.Command(jem, "reproduce", "semi", "--scale", "smoke", "--out", out, "--quiet")
}

func TestReproductionsKilledAtRandomMomentsEndAsIfNeverStopped(t *testing.T) {
	n := trials(t, killsEnv, 6)
	whole := t.TempDir()
	begin := time.Now()
	if text, err := reproduceSmall(whole).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	took := time.Since(begin)
	want := tableCells(t, whole, "semi")
	if !strings.Contains(want, "labelled images") || strings.Contains(want, "not run") {
		t.Fatalf("an uninterrupted run makes\n%s", want)
	}
	out, moment := t.TempDir(), philox.New(3, 0, philox.Test)
	killed := 0
	for i := range n { // one folder: each goes on where the last was killed
		cmd := reproduceSmall(out)
		signal := os.Signal(os.Kill)
		if i%2 == 1 {
			signal = stopSignals()[0]
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(float64(moment.Uniform(uint64(i)))*float64(took)/2), func() { _ = cmd.Process.Signal(signal) })
		_ = cmd.Wait() // the code tells
		timer.Stop()
		switch code := cmd.ProcessState.ExitCode(); code {
		case -1, exitStopped:
			killed++
		case exitDone:
		default:
			t.Errorf("exit code %d after %v", code, signal)
		}
	}
	if text, err := reproduceSmall(out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got := tableCells(t, out, "semi"); got != want {
		t.Errorf("killed %d times it makes\n%sinstead of\n%s", killed, got, want)
	}
	trained, measured := tree(t, filepath.Join(out, "runs")), tree(t, filepath.Join(out, "measures"))
	if text, err := reproduceSmall(out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if tree(t, filepath.Join(out, "runs")) != trained || tree(t, filepath.Join(out, "measures")) != measured {
		t.Error("what is there already is made again")
	}
}

func TestOnlyReadySaysWhatIsNotRun(t *testing.T) {
	out := t.TempDir()
	r := do(t, "reproduce", "--scale", "smoke", "--only-ready", "--out", out, "stability")
	if r.code != exitDone {
		t.Fatal(r.stderr)
	}
	page, err := os.ReadFile(filepath.Join(out, "tables", "stability.md"))
	if err != nil || !strings.Contains(string(page), "stability-published is not trained yet") {
		t.Errorf("%v\n%s", err, page)
	}
}

func TestDryRunPrintsThePlan(t *testing.T) {
	hideCache(t, t.TempDir())
	for id, want := range map[string][]string{
		"calibration": {"cifar100-baseline-seed1-", "objective.p_x=0", "hours of training left", "are estimated from a small network's", "missing: svhn: train_32x32.mat"},
		"table1":      {"wrn-bn-seed1-", "model.norm=batch", "missing: inception: no weights of Inception (jem data fetch inception)"},
	} {
		out := t.TempDir()
		r := do(t, "reproduce", id, "--scale", "smoke", "--dry-run", "--out", out, "--data-dir", t.TempDir())
		if r.code != exitDone {
			t.Fatal(r.stderr)
		}
		for _, text := range want {
			if !strings.Contains(r.stdout, text) {
				t.Errorf("%s: no %q in\n%s", id, text, r.stdout)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(out, "runs", "*")); len(left) > 0 {
			t.Errorf("%s: a dry run made %v", id, left)
		}
	}
}

func TestReproduceRefuses(t *testing.T) {
	for _, args := range [][]string{{"reproduce"}, {"reproduce", "table9"}, {"reproduce", "table1", "--scale", "huge"}, {"reproduce", "table1", "--no-such"}, {"reproduce", "table1", "--measure"}, {"reproduce", "table1", "table2"}} {
		if r := do(t, args...); r.code != exitUsage {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}
