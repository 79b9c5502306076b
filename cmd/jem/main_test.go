package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/config/settings"
)

// jem is the built program; the tests run it as a user does.
var jem string

// cacheHome is where the tester keeps what was brought from elsewhere; "": the usual place.
var cacheHome string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "jem")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	jem = filepath.Join(dir, "jem.exe")
	build := exec.Command("go", "build", "-ldflags", "-X main.release=v1.2.3", "-o", jem, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	// What devices measure is remembered there, not in the tester's own cache.
	cacheHome = os.Getenv("XDG_CACHE_HOME")
	os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// result is what one run of the program showed.
type result struct {
	stdout, stderr string
	code           int
}

// do runs the program.
func do(t *testing.T, args ...string) result {
	t.Helper()
	return doWith(t, nil, args...)
}

// doWith runs the program with additional environment variables.
func doWith(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(jem, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, append(os.Environ(), env...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// listen runs a command to its end and hears each line that it says on stderr. The exit code tells how it ended.
func listen(t *testing.T, cmd *exec.Cmd, hear func(line string)) (code int) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		hear(lines.Text())
	}
	_ = cmd.Wait() // the code tells
	return cmd.ProcessState.ExitCode()
}

// ok runs the program and wants it to succeed.
func ok(t *testing.T, args ...string) string {
	t.Helper()
	r := do(t, args...)
	if r.code != 0 {
		t.Fatalf("jem %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// okJSON runs the program with --json and reads its result.
func okJSON(t *testing.T, into any, args ...string) {
	t.Helper()
	out := ok(t, args...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("jem %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestMistakesAreOneSentenceAndACode(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(file, []byte("train:\n  bacth: 3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"trian"}, exitUsage, `jem: unknown command "trian": did you mean train?`},
		{[]string{"config", "shw"}, exitUsage, `jem: unknown command "shw": did you mean show?`},
		{[]string{"config", "show", "--presett", "x"}, exitUsage, "jem: unknown flag --presett: did you mean --preset?"},
		{[]string{"config", "show", "stray"}, exitUsage, `jem: unexpected argument "stray"`},
		{[]string{"--nosuch"}, exitUsage, "jem: unknown flag --nosuch"},
		{[]string{"data", "verify"}, exitUsage, "jem: NAME is missing"},
		{[]string{"data", "verify", "cifar10", "--data-dir"}, exitUsage, "jem: --data-dir wants a value; jem data verify --help"},
		{[]string{"data", "verify", "cifar10", "--data-dir", "--json"}, exitUsage, "jem: --data-dir wants a value; jem data verify --help"},
		{[]string{"data", "verify", "cifar10", "--jsn"}, exitUsage, "jem: unknown flag --jsn: did you mean --json?"},
		{[]string{"data", "verify", "--", "cifar10", "--json"}, exitUsage, `jem: unexpected argument "--json"`},
		{[]string{"data", "verify", "cifr10"}, exitUsage, `jem: no data set "cifr10": did you mean cifar10?`},
		{[]string{"data", "verify", "--data-dir", dir, "cifar10"}, exitData, "jem: data_batch_1.bin: not found; jem data fetch cifar10 downloads the set"},
		{[]string{"bench", "step", "--model", "resnet"}, exitUsage, `jem: --model "resnet": want wrn-DEPTH-WIDTH`},
		{[]string{"bench", "memory", "--size", "30"}, exitUsage, "jem: --size 30: want a multiple of 8 up to 1024"},
		{[]string{"bench", "memory", "--channels", "2"}, exitUsage, "jem: --channels 2: want 1 or 3"},
		{[]string{"bench", "layers", "--classes", "1"}, exitUsage, "jem: --classes 1: want 2 to 10000"},
		{[]string{"bench", "step", "--model", "wrn-11-1"}, exitConfig, "jem: model.depth: 11 is not 6n+4"},
		{[]string{"bench", "step", "--device", "cuda"}, exitConfig, "jem: device: this binary has no CUDA device"},
		{[]string{"selftest", "--only", "nosuch"}, exitUsage, `jem: --only "nosuch": no check has such a name`},
		{[]string{"selftest", "--only", "memory", "--cpu-isa", "mmx"}, exitConfig, `jem: device: open cpu: unknown instruction set "mmx"`},
		{[]string{"config", "show", "--config", filepath.Join(dir, "none.yaml")}, exitConfig, "jem: " + filepath.Join(dir, "none.yaml") + ": there is no such file"},
		{[]string{"config", "show", "--config", file}, exitConfig, "jem: " + file + ":2: train.bacth: unknown key: did you mean train.batch?"},
		{[]string{"config", "show", "--preset", "cifar-10"}, exitConfig, `jem: unknown preset "cifar-10": did you mean cifar10?`},
		{[]string{"config", "show", "--set", "sampler.stps=3"}, exitConfig, "jem: --set: sampler.stps: unknown key: did you mean sampler.steps?"},
		{[]string{"config", "show", "--batch", "many"}, exitConfig, `jem: --batch: train.batch: "many": want a whole number`},
	} {
		t.Run(strings.Join(tc.args[:min(3, len(tc.args))], " "), func(t *testing.T) {
			r := do(t, tc.args...)
			if r.code != tc.code || !strings.HasPrefix(r.stderr, tc.want) || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("jem %s\ngot  %d %s\nwant %d %s", strings.Join(tc.args, " "), r.code, r.stderr, tc.code, tc.want)
			}
		})
	}
}

func TestAllFaultsAreListed(t *testing.T) {
	r := do(t, "config", "show", "--lr", "x", "--set", "train.bacth=3", "--set", "model.depth=3")
	if r.code != exitConfig || !strings.HasPrefix(r.stderr, "jem: 3 faults in the configuration:\n") || strings.Count(r.stderr, "\n") != 4 {
		t.Errorf("got %d\n%s", r.code, r.stderr)
	}
}

func TestShownConfigurationReadsBack(t *testing.T) {
	first := ok(t, "config", "show", "--preset", "svhn-small", "--lr", "0.003", "--set", "optim.decay_epochs=5,7")
	file := filepath.Join(t.TempDir(), "shown.yaml")
	if err := os.WriteFile(file, []byte(first), 0o666); err != nil {
		t.Fatal(err)
	}
	if again := ok(t, "config", "show", "--config", file); again != first {
		t.Errorf("got\n%s\nwant\n%s", again, first)
	}
	if later := ok(t, "config", "show", "--config", file, "--set", "optim.lr=1"); !strings.Contains(later, "\n  lr: 1\n") {
		t.Errorf("--set doesn't win over --config:\n%s", later)
	}
}

func TestConfigurationAsJSON(t *testing.T) {
	var diff []settings.Change
	okJSON(t, &diff, "config", "show", "--preset", "cifar10", "--sgld-steps", "40", "--diff", "--json")
	if len(diff) != 1 || diff[0].Path != "sampler.steps" || diff[0].From != 20.0 || diff[0].To != 40.0 {
		t.Errorf("got %+v", diff)
	}
	var keys []settings.Key
	okJSON(t, &keys, "config", "show", "--json")
	if len(keys) < 50 || keys[0].Path != "seed" {
		t.Errorf("got %d keys: %+v", len(keys), keys)
	}
	var presets []preset
	okJSON(t, &presets, "config", "presets", "--json")
	i := slices.IndexFunc(presets, func(p preset) bool { return p.Name == "cifar10" })
	if len(presets) < 13 || i < 0 || !strings.Contains(presets[i].About, "as in the paper") {
		t.Errorf("got %+v", presets)
	}
}

func TestVersionOfTheBuild(t *testing.T) {
	var b build
	okJSON(t, &b, "version", "--json")
	if b.Version != "v1.2.3" || b.Go == "" || b.OS == "" {
		t.Errorf("got %+v", b)
	}
	if out := ok(t, "version"); !strings.HasPrefix(out, "jem v1.2.3 (go") {
		t.Errorf("got %q", out)
	}
}

func TestDevicesOfThisMachine(t *testing.T) {
	var all []listed
	okJSON(t, &all, "devices", "--json")
	if len(all) != 4 || !all[0].Available || all[0].ISA != "generic" || all[0].Threads < 1 {
		t.Errorf("got %+v", all)
	}
	if r := doWith(t, []string{"GOMAXPROCS=1"}, "devices"); !strings.Contains(r.stdout, "--threads 0 is 1 on the CPU, by GOMAXPROCS") {
		t.Errorf("got %s", r.stdout)
	}
	if last := all[len(all)-1]; last.Kind != "cuda" || last.Available || last.Reason == "" {
		t.Errorf("got %+v", last)
	}
}

func TestHelpNamesCommandsAndExitCodes(t *testing.T) {
	out := ok(t)
	for _, want := range []string{"config ", "data ", "bench ", "78  configuration error"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out := ok(t, "config", "show", "--help"); !strings.Contains(out, "SGLD steps K a training step [n_steps]: sampler.steps") {
		t.Errorf("got\n%s", out)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out := ok(t, "completion", shell); !strings.Contains(out, "jem") || len(out) < 200 {
			t.Errorf("%s: got %q", shell, out)
		}
	}
	for _, tc := range []struct{ line, want string }{
		{"con", "convert config"},
		{"config ", "show presets"},
		{"config show --sgld-st", "--sgld-steps --sgld-step-size"},
		{"train --preset fash", "fashion-demo"},
		{"eval --json --task cal", "calibration"},
		{"eval runs/first --split ", "test valid train all"},
		{"attack --norm ", "linf l2"},
		{"attack --from ", ""},
		{"sample --from ", "buffer fresh"},
		{"eval --json --task=chains --fr", "--from --fresh"},
		{"score --norm l", "layer"},
		{"eval --weights ", "ema raw"},
		{"sweep --ca", "--cases"},
		{"compare --format ", "table json csv markdown"},
		{"data fetch fa", "fashion-mnist"},
		{"reproduce table", "table1 table2 table3"},
		{"train --out ", ""},
		{"checkpoint list runs", ""},
	} {
		got := ok(t, append(strings.Split(tc.line, " "), "--generate-bash-completion")...)
		if got := strings.Join(strings.Fields(got), " "); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.line, got, tc.want)
		}
	}
}

func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	script := `source <("$JEM" completion bash); COMP_WORDS=(` + jem + ` config show --sgld-st); COMP_CWORD=3; _jem; echo "${COMPREPLY[@]}"`
	cmd := exec.Command(bash, "-c", script)
	cmd.Env = append(os.Environ(), "JEM="+jem)
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "--sgld-step-size --sgld-steps\n" && string(out) != "--sgld-steps --sgld-step-size\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestManualPage(t *testing.T) {
	if out := ok(t, "man"); !strings.Contains(out, ".TH jem 1") || !strings.Contains(out, "selftest") {
		t.Errorf("got\n%s", out)
	}
}

func TestSelftestReports(t *testing.T) {
	var report struct {
		Device  string
		Results []struct {
			Group  string
			Passed bool
		}
	}
	okJSON(t, &report, "selftest", "--only", "memory/", "--json")
	if len(report.Results) < 5 || report.Results[0].Group != "memory" || !report.Results[0].Passed {
		t.Errorf("got %+v", report)
	}
	if out := ok(t, "selftest", "--only", "memory/", "--cpu-isa", "generic"); !strings.Contains(out, "GROUP") {
		t.Errorf("got\n%s", out)
	}
}

// The step has one kink, see docs/numerics.md; a copy with a wrong learning rate fails.
func TestSelftestRepeatsRecordedStep(t *testing.T) {
	const step = "../../train/replay/testdata/jem_joint_wrn10_2"
	var r struct {
		Step   string
		Passed bool
		Groups []struct{ Group string }
		Kinks  int     `json:"kinks_flipped"`
		Max    float64 `json:"kink_max"`
		Bound  float64 `json:"kink_bound"`
	}
	okJSON(t, &r, "selftest", "--golden", step+".safetensors", "--json")
	if r.Step != "jem_joint_wrn10_2" || !r.Passed || len(r.Groups) != 3 || r.Kinks > 3 || r.Max > r.Bound {
		t.Errorf("got %+v", r)
	}
	wrong := copyStep(t, step, `"lr": 0.0001`, `"lr": 0.0002`)
	if r := do(t, "selftest", "--golden", wrong+".json"); r.code != exitFailed || !strings.Contains(r.stdout, "FAILED at param1/") {
		t.Errorf("got %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// copyStep copies a recorded step with a change to its configuration.
func copyStep(t *testing.T, step, from, to string) string {
	t.Helper()
	base := filepath.Join(t.TempDir(), "step")
	for _, ext := range []string{".json", ".safetensors"} {
		content, err := os.ReadFile(step + ext)
		if err != nil {
			t.Fatal(err)
		}
		if ext == ".json" {
			content = bytes.ReplaceAll(content, []byte(from), []byte(to))
		}
		if err := os.WriteFile(base+ext, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return base
}

func TestBenchReports(t *testing.T) {
	var r struct {
		StepSeconds float64 `json:"step_seconds"`
		SGLDSeconds float64 `json:"sgld_seconds"`
		ConvShare   float64 `json:"conv_share"`
		GFLOPS      float64 `json:"gflops"`
		Batch       int     `json:"batch"`
	}
	okJSON(t, &r, "bench", "step", "--model", "wrn-10-1", "--batch", "2", "--sgld-steps", "1", "--steps", "2", "--json")
	if !(0 < r.SGLDSeconds && r.SGLDSeconds < r.StepSeconds && 0 < r.ConvShare && r.ConvShare < 1 && r.GFLOPS > 0 && r.Batch == 2) {
		t.Errorf("got %+v", r)
	}
	out := ok(t, "bench", "layers", "--model", "wrn-10-1", "--batch", "1", "--time", "1ms")
	if !strings.Contains(out, "16to16_k3s1_32x32") || strings.Count(out, "input gradient") < 5 {
		t.Errorf("got\n%s", out)
	}
}
