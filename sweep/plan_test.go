package sweep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/config"
	"jem/config/settings"
)

// base is the smallest preset under some layers.
func base(preset string, layers ...settings.Layer) (config.Config, error) {
	if preset == "" {
		preset = "shapes-demo"
	}
	return config.Load(preset, layers...)
}

func axes(t *testing.T, texts ...string) (all []Axis) {
	t.Helper()
	for _, text := range texts {
		a, err := ParseAxis("--grid", text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

func casesOf(t *testing.T, text string) ([]Case, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cases.yaml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return ReadCases(file)
}

// names are the runs of a plan in order.
func names(p *Plan) string {
	var all []string
	for _, r := range p.Runs() {
		all = append(all, r.Name)
	}
	return strings.Join(all, " ")
}

// Recipes are compared by nothing but their presets.
func TestCasesOfPresetsAreCalledByThem(t *testing.T) {
	cases, err := casesOf(t, "cases: [{preset: at-small}, {preset: dat-small}]")
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(base, nil, cases, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(p), "at-small-seed1 dat-small-seed1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAGridIsEveryCombination(t *testing.T) {
	p, err := NewPlan(base, axes(t, "optim.lr=1e-3,0.002", "sampler.steps=3"), nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(p), "lr=0.001,sampler.steps=3-seed1 lr=0.002,sampler.steps=3-seed1 lr=0.001,sampler.steps=3-seed2 lr=0.002,sampler.steps=3-seed2"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if len(p.Paths) != 1 || p.Cases[1].Settings["optim.lr"] != float32(0.002) || p.Cases[1].Runs[1].Config.Seed != 2 {
		t.Errorf("got %+v", p)
	}
}

func TestCasesAreReadAndCrossed(t *testing.T) {
	cases, err := casesOf(t, "cases:\n- name: twin\n  objective: {p_x: 0, l2: 0}\n- optim: {decay_epochs: [10, 20]}\n- {name: großer Name, preset: smoke, data.valid: 50}\n")
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(base, axes(t, "optim.lr=1e-3"), cases, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(p), "twin,lr=0.001-seed1 decay_epochs=10+20,lr=0.001-seed1 gro-er-Name,lr=0.001-08db97e2-seed1"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if preset, _ := config.Preset("smoke"); p.Cases[2].Runs[0].Config.Model != preset.Model || p.Cases[0].Runs[0].Config.Objective.PX != 0 {
		t.Errorf("got %+v", p.Cases)
	}
}

func TestWhatIsNoSweepIsRefused(t *testing.T) {
	for want, try := range map[string]func() error{
		`--grid: "optim.lr": want KEY=VALUE,VALUE`:            func() error { _, err := ParseAxis("--grid", "optim.lr"); return err },
		"optim.lr: \"1,\": a value between commas is missing": func() error { _, err := ParseAxis("--grid", "optim.lr=1,"); return err },
		"optim.decay_epochs: is itself a list":                func() error { _, err := ParseAxis("--grid", "optim.decay_epochs=1,2"); return err },
		"seed: seeds are no axis":                             func() error { _, err := ParseAxis("--grid", "seed=1,2"); return err },
		"--grid: optim.lrr: unknown key: did you mean optim.lr?": func() error {
			_, err := NewPlan(base, axes(t, "optim.lrr=1,2"), nil, 1)
			return err
		},
		"data.valid: 0: a sweep is judged by held-out images": func() error {
			_, err := NewPlan(base, axes(t, "data.valid=0"), nil, 1)
			return err
		},
		"cases 1 and 2 are the same, lr=0.001": func() error {
			_, err := NewPlan(base, axes(t, "optim.lr=1e-3,0.001"), nil, 1)
			return err
		},
		"cases 1 and 2 are both called a": func() error {
			cases, err := casesOf(t, "cases: [{name: a, optim.lr: 1}, {name: a, optim.lr: 2}]")
			if err == nil {
				_, err = NewPlan(base, nil, cases, 1)
			}
			return err
		},
		"more than 1000 runs": func() error {
			_, err := NewPlan(base, axes(t, "optim.lr=1,2,3,4,5,6,7,8,9,10,11"), nil, 100)
			return err
		},
		"want a list under cases: and nothing else": func() error { _, err := casesOf(t, "optim: {lr: 1}"); return err },
		"cases: is empty": func() error { _, err := casesOf(t, "cases: []"); return err },
		"not valid YAML":  func() error { _, err := casesOf(t, "cases: ["); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
