package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run of attacked images alone has no chains: its page shows none, samples are drawn as dreams would be, and who
// asks for the replay buffer hears that there is none.
func TestARunWithoutChains(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	ok(t, "train", "--preset", "shapes-demo", "--threads", "1", "--conv-algo", "direct", "--quiet", "--out", run, "--steps", "1",
		"--set", "objective.p_x=0", "--set", "objective.l2=0", "--set", "objective.p_y_given_x=0", "--set", "objective.attacked=1", "--set", "attack.steps=1",
		"--set", "dream.steps=1", "--set", "train.test_limit=20", "--set", "data.limit=150")
	page, err := os.ReadFile(filepath.Join(run, "report.html"))
	if err != nil || strings.Contains(string(page), "Log-density") || !strings.Contains(string(page), "Cross-entropy") {
		t.Errorf("a page without cross-entropy, or with log-densities (%v)", err)
	}
	picture := filepath.Join(t.TempDir(), "samples.png")
	ok(t, "sample", run, "--threads", "1", "--quiet", "--count", "2", "--out", picture)
	none := []string{"has no replay buffer, as its run had no chains"}
	sentence(t, exitData, none, "sample", run, "--threads", "1", "--quiet", "--from", "buffer", "--out", picture)
	sentence(t, exitData, none, "eval", run, "--threads", "1", "--quiet", "--task", "samples", "--from", "buffer")
}
