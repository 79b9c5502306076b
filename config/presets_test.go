package config

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"jem/config/settings"
)

func TestEveryPresetIsValidAndSaysWhatItIs(t *testing.T) {
	names := PresetNames()
	if len(names) < 13 {
		t.Errorf("only %d presets: %v", len(names), names)
	}
	for _, name := range names {
		if _, err := Preset(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if PresetAbout(name) == "" {
			t.Errorf("%s has no comment at its head", name)
		}
	}
}

// The paper's numbers stand in the preset's file, where readers look, and in Default,
// where presets start: they must not drift apart.
func TestDefaultIsThePaperRecipe(t *testing.T) {
	c, err := Preset("cifar10")
	if err != nil {
		t.Fatal(err)
	}
	if d := settings.Diff(Default(), c); len(d) > 0 {
		t.Errorf("cifar10 differs from the default: %+v", d)
	}
}

func TestBaselinesDifferInTheObjectiveOnly(t *testing.T) {
	for _, name := range PresetNames() {
		parent, found := strings.CutSuffix(name, "-baseline")
		if !found {
			continue
		}
		with, err1 := Preset(parent)
		without, err2 := Preset(name)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for _, d := range settings.Diff(with, without) {
			if d.Path != "objective.p_x" && d.Path != "objective.l2" || d.To != float32(0) {
				t.Errorf("%s: %+v", name, d)
			}
		}
	}
}

// A smaller ball is its parent's but for its size: whatever else changes in the course of the run, changes alike.
func TestASmallerBallGrowsAsItsParents(t *testing.T) {
	for smaller, parent := range map[string]string{"at-gentle-small": "at-small", "dat-mixed-small": "dat-small"} {
		var rest [2][]string
		for i, name := range []string{parent, smaller} {
			c, err := Preset(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range c.Train.Schedule {
				if !strings.HasPrefix(change, "attack.radius ") && !strings.HasPrefix(change, "attack.step_size ") {
					rest[i] = append(rest[i], change)
				}
			}
		}
		if len(rest[0]) == 0 || !slices.Equal(rest[0], rest[1]) {
			t.Errorf("%s changes %q, %s %q", parent, rest[0], smaller, rest[1])
		}
	}
}

func TestSVHNIsNotMirrored(t *testing.T) {
	for _, name := range []string{"svhn", "svhn-small", "svhn-baseline"} {
		if c, err := Preset(name); err != nil || c.Data.Flip || c.Data.Name != "svhn" {
			t.Errorf("%s: %+v, %v", name, c.Data, err)
		}
	}
}

func TestUnknownPresetNamesTheNearest(t *testing.T) {
	for _, name := range []string{"cifar-10", "cifa10", "../presets/cifar10"} {
		_, err := Preset(name)
		var e *settings.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "did you mean cifar10?") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadReportsReadingAndValuesTogether(t *testing.T) {
	_, err := Load("cifar10",
		settings.Option("--set", "train.bacth=3"),
		settings.Option("--set", "model.depth=11"),
		settings.Option("--set", "train.batch=x"))
	var e *settings.Error
	if !errors.As(err, &e) || len(e.Faults) != 3 {
		t.Fatalf("want 3 faults, got %v", err)
	}
}

// TestRunsOfBefore: what a run was trained with before there was a setting for it stays so.
func TestRunsOfBefore(t *testing.T) {
	for text, want := range map[string]string{"data: {name: cifar10}": "black", "data: {ground: stored}": "stored", "data: {ground: white}": "white"} {
		c, err := LoadRun(settings.YAML("config.yaml", []byte(text)))
		if err != nil || c.Data.Ground != want {
			t.Errorf("%s: ground %q, %v; want %q", text, c.Data.Ground, err, want)
		}
	}
	if c := Default(); c.Data.Ground != "white" || !c.Data.ByClass {
		t.Errorf("new runs: ground %q, by class %v", c.Data.Ground, c.Data.ByClass)
	}
	for text, want := range map[string]bool{"data: {name: folder}": false, "data: {by_class: true}": true} {
		if c, err := LoadRun(settings.YAML("config.yaml", []byte(text))); err != nil || c.Data.ByClass != want {
			t.Errorf("%s: by class %v, %v; want %v", text, c.Data.ByClass, err, want)
		}
	}
}

// Samples have the statistics that those of training have.
func TestGenerationHasTheStatisticsOfTraining(t *testing.T) {
	for _, name := range []string{"cifar10", "dat"} {
		for _, own := range []bool{false, true} {
			c, err := Preset(name)
			if err != nil {
				t.Fatal(err)
			}
			c.Sampler.BatchStats, c.Dream.BatchStats = own == (name == "cifar10"), own == (name == "dat")
			if got := c.Generation().BatchStats; got != own {
				t.Errorf("%s: %v, in training %v", name, got, own)
			}
		}
	}
}
