package config

import (
	"strings"
	"testing"

	"jem/config/settings"
)

func TestDocumentReadsBackAsItself(t *testing.T) {
	for _, name := range PresetNames() {
		c, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := Document(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Load("", settings.YAML("document", []byte(text)))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if d := settings.Diff(c, got); len(d) > 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestDocumentExplainsSettings(t *testing.T) {
	text, err := Document(Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"  reinit: 0.05 # probability of a fresh start (reinit_freq)",
		"  lr: 0.0001",
		"  decay_epochs: [50, 100] # epochs at which the rate is multiplied by decay_rate",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}
