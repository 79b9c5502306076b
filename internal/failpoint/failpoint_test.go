package failpoint

import (
	"errors"
	"strings"
	"testing"
)

func TestNamesStandForAllTheyBegin(t *testing.T) {
	for value, want := range map[string]string{
		"ckpt.rename:1:error":       "ckpt.rename.before",
		"ckpt.rename:2:error":       "ckpt.rename.after",
		"ckpt.rename.after:1:error": "ckpt.rename.after",
		"ckpt.sync:1:error":         "ckpt.sync.before", // not ckpt.syncdir
		"ckpt:4:error":              "ckpt.rename.after",
	} {
		p, err := Parse(value)
		if err != nil {
			t.Fatal(err)
		}
		nothing := func() error { return nil }
		for _, op := range []string{"ckpt.syncdir", "ckpt.rename", "ckpt.sync"} {
			if err = p.Around(op, nothing); err != nil {
				break
			}
		}
		if !errors.Is(err, Err) || !strings.Contains(err.Error(), " "+want+":") || !p.Fired() {
			t.Errorf("%s: got %v, want %s", value, err, want)
		}
		if again := p.Around("ckpt.rename", nothing); again != nil {
			t.Errorf("%s fired twice", value)
		}
	}
}

func TestNoPointDoesNothing(t *testing.T) {
	p, err := Parse("")
	if err != nil || p.Pass("ckpt.rename.before") != nil || p.Fired() {
		t.Errorf("%v, %v", p, err)
	}
}

func TestFaultyValuesAreNamed(t *testing.T) {
	for _, value := range []string{"ckpt", "ckpt:0:error", "ckpt:x:error", "ckpt:1:panic"} {
		if _, err := Parse(value); err == nil || !strings.Contains(err.Error(), Env) {
			t.Errorf("%s: got %v", value, err)
		}
	}
}

func TestWhatIsUnsupportedStaysSo(t *testing.T) {
	p, err := Parse("fs:2:unsupported")
	if err != nil || p.Pass("fs.lock") != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fs.sync", "fs.lock", "fs.sync"} {
		if err := p.Pass(name); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.Pass("ckpt.sync"); err != nil {
		t.Error(err)
	}
}
