package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/backend/cpu/asm"
	"jem/internal/rundir"
)

// finished is the folder of a small run that came to its end, with checkpoints of steps 1 to 3.
func finished(t *testing.T, data string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	ok(t, small(data, out, "--set", "train.save_every=1", "--set", "train.keep_last=3", "--threads", "1", "--quiet")...)
	return out
}

func TestResumeOfARunThatIsDone(t *testing.T) {
	data := writeCIFAR(t)
	out := finished(t, data)
	metrics, err := os.ReadFile(filepath.Join(out, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	r := do(t, "train", "--resume", out)
	if r.code != exitDone || !strings.Contains(r.stderr, "the run is finished") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	if again, _ := os.ReadFile(filepath.Join(out, "metrics.jsonl")); string(again) != string(metrics) {
		t.Error("the records changed")
	}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"changed", []string{"--resume", out, "--lr", "0.5", "--set", "sampler.steps=9"}, exitConfig,
			[]string{"2 faults", "optim.lr: the run has 0.", ", now 0.5 is asked for", "sampler.steps: the run has 2, now 9"}},
		{"allowed changes only", []string{"--resume", out, "--allow-changes", "--lr", "0.5"}, exitConfig, []string{"optim.lr: the run has"}},
		{"not asked to allow", []string{"--resume", out, "--set", "train.keep_last=5"}, exitConfig, []string{"train.keep_last: the run has 3, now 5 is asked for: add --allow-changes"}},
		{"another preset", []string{"--resume", out, "--preset", "svhn"}, exitConfig, []string{"data.name: the run has cifar10, now svhn is asked for"}},
		{"no run", []string{"--resume", data}, exitData, []string{"is no run folder"}},
		{"both", []string{"--resume", out, "--out", out}, exitUsage, []string{"give one of them, or --out " + out + " --resume-if-there"}},
		{"stray flag", []string{"--out", out, "--allow-changes"}, exitUsage, []string{"--allow-changes goes with --resume"}},
	} {
		r := do(t, append([]string{"train"}, tc.args...)...)
		for _, want := range tc.want {
			if r.code != tc.code || !strings.Contains(r.stderr, want) {
				t.Errorf("%s: got %d %s\nwant %d %q", tc.name, r.code, r.stderr, tc.code, want)
			}
		}
	}
	if again := ok(t, "train", "--resume", out, "--quiet", "--allow-changes", "--set", "train.keep_last=5"); !strings.HasSuffix(again, "report.html\n") {
		t.Errorf("got %q", again)
	}
}

func TestASecondProcessIsToldWhoHasTheRun(t *testing.T) {
	out := finished(t, writeCIFAR(t))
	d, err := rundir.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := do(t, "train", "--resume", out)
	if want := fmt.Sprintf("is in use by process %d on ", os.Getpid()); r.code != exitBusy || !strings.Contains(r.stderr, want) {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
}

// Whatever is done to the newest checkpoint, the one before counts, in a sentence.
func TestADamagedCheckpointIsSkipped(t *testing.T) {
	out := finished(t, writeCIFAR(t))
	last := filepath.Join(out, "checkpoints", "step-00000003")
	whole, err := os.ReadFile(filepath.Join(last, "optim.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)/2] ^= 16
	for name, content := range map[string][]byte{"a flipped bit": flipped, "cut": whole[:len(whole)-1], "empty": nil} {
		if err := os.WriteFile(filepath.Join(last, "optim.safetensors"), content, 0o644); err != nil {
			t.Fatal(err)
		}
		r := do(t, "checkpoint", "verify", out)
		if r.code != exitData || !strings.Contains(r.stdout, "damaged") || !strings.Contains(r.stderr, "optim.safetensors: damaged") {
			t.Errorf("%s: verify gave %d\n%s%s", name, r.code, r.stdout, r.stderr)
		}
	}
	r := do(t, "train", "--resume", out)
	if r.code != exitDone || !strings.Contains(r.stderr, "skipped a damaged checkpoint: ") || !strings.Contains(r.stderr, `resuming {"run": "`+out+`", "step": 2`) {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	var all []stored
	okJSON(t, &all, "checkpoint", "verify", "--json", out)
	if len(all) != 3 || all[2].Step != 3 || all[2].Sound == nil || !*all[2].Sound || all[2].Bytes == 0 {
		t.Errorf("after resuming: %+v", all)
	}
	if _, err := os.Stat(last + ".damaged"); err != nil {
		t.Error(err)
	}
}

// Failing writes end the run with a sentence about the file, and it can be resumed.
func TestFailingWrites(t *testing.T) {
	data := writeCIFAR(t)
	for _, point := range []string{"ckpt.sync:20", "ckpt.rename:2", "metrics.write:3", "events.write:40", "file.rename.before:5"} {
		t.Run(point, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "run")
			args := small(data, out, "--set", "train.save_every=1", "--threads", "1", "--quiet")
			r := doWith(t, []string{"JEM_FAILPOINT=" + point + ":error"}, args...)
			if r.code != exitIO || !strings.Contains(r.stderr, out) {
				t.Errorf("got %d %s", r.code, r.stderr)
			}
			if strings.HasPrefix(point, "ckpt.") && !strings.Contains(r.stderr, " bytes needed, ") {
				t.Errorf("the room needed is not in %s", r.stderr)
			}
			ok(t, "train", "--resume", out, "--quiet")
		})
	}
}

// A run goes on with the instruction set and the algorithms that it began with; on a machine
// that lacks them it says so.
func TestResumeOnAMachineWithOtherInstructions(t *testing.T) {
	if asm.Best() != asm.AVX512 {
		t.Skip("needs AVX-512, to be switched off")
	}
	out := filepath.Join(t.TempDir(), "run")
	ok(t, small(writeCIFAR(t), out, "--conv-algo", "auto", "--threads", "1", "--quiet", "--set", "optim.cosine=false")...)
	more := []string{"train", "--resume", out, "--quiet", "--allow-changes", "--steps", "4"}
	without := []string{"GODEBUG=cpu.avx512f=off"}
	r := doWith(t, without, more[:4]...)
	want := "jem: device: the run was computed on cpu with avx512, now it would be cpu with avx2: it would not end with the bits"
	if r.code != exitConfig || !strings.HasPrefix(r.stderr, want) {
		t.Errorf("got %d %s\nwant %d %s", r.code, r.stderr, exitConfig, want)
	}
	envs, err := rundir.ReadEnv(rundir.Path(out).Env())
	if err != nil || len(envs) != 1 || len(envs[0].Algorithms) == 0 {
		t.Fatalf("after a refused start: %+v, %v", envs, err)
	}
	ok(t, more...)
	if r := doWith(t, without, append(more[:len(more)-1], "5")...); r.code != exitDone {
		t.Errorf("with --allow-changes: %d %s", r.code, r.stderr)
	}
	if envs, err = rundir.ReadEnv(rundir.Path(out).Env()); err != nil || len(envs) != 3 {
		t.Fatalf("%d starts, %v", len(envs), err)
	}
	if !maps.Equal(envs[0].Algorithms, envs[1].Algorithms) {
		t.Errorf("began with %v, went on with %v", envs[0].Algorithms, envs[1].Algorithms)
	}
	for plan, algorithm := range envs[2].Algorithms {
		if !strings.HasSuffix(algorithm, "-avx2") {
			t.Errorf("%s by %s without AVX-512", plan, algorithm)
		}
	}
}
