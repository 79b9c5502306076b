package config

import (
	"strings"
	"testing"

	"jem/config/settings"
)

// Whatever a file holds, no fault shows more of it than a line's worth.
func TestFaultsShowLittleOfAFile(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, text := range []string{
		"seed: " + long, "optim: {name: " + long + "}", "optim: " + long, "optim: {decay_epochs: [" + long + "]}", "seed: *" + long,
		"device: {cpu_isa: \"\\e[31m" + long + "\"}", "? " + long + "\n: 1", "data: {name: " + long + "}",
	} {
		_, err := Load("", settings.YAML("c.yaml", []byte(text)))
		if err == nil || len(err.Error()) > 400 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%.30s…: %v", text, err)
		}
	}
	if _, err := Load(long); err == nil || len(err.Error()) > 400 {
		t.Errorf("a preset: %v", err)
	}
	if _, err := Load("", settings.Option("--set", long)); err == nil || len(err.Error()) > 400 {
		t.Errorf("a setting: %v", err)
	}
	a, b := Default(), Default()
	a.Data.Dir = long
	if err := CheckResume(a, b, 0, false); err == nil || len(err.Error()) > 400 {
		t.Errorf("on resuming: %v", err)
	}
}
