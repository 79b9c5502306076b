package config

import (
	"errors"
	"testing"

	"jem/config/settings"
	"jem/internal/mutation"
)

// A damaged configuration is refused as a list of faults, or it is one that is written and read
// again as the same.
func TestConfigurationsSurviveMutations(t *testing.T) {
	good, err := Document(Default())
	if err != nil {
		t.Fatal(err)
	}
	n := mutation.Count(500)
	got := mutation.Run([]byte(good), n, func(file []byte) bool {
		c, err := Load("", settings.YAML("c.yaml", file))
		if faults := (*settings.Error)(nil); err != nil {
			if !errors.As(err, &faults) {
				t.Errorf("%T is no list of faults: %v", err, err)
			}
			return false
		}
		text, err := Document(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load("", settings.YAML("c.yaml", []byte(text)))
		if d := settings.Diff(c, again); err != nil || len(d) > 0 {
			t.Errorf("written and read again: %+v, %v", d, err)
		}
		return true
	})
	for _, f := range got.Failures {
		t.Error(f)
	}
	if got.Refused < n/4 {
		t.Errorf("%d of %d refused: the mutations don't bite", got.Refused, n)
	}
}
