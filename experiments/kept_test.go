package experiments

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"jem/internal/fault"
)

func TestDamagedResultsAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rates.json")
	var into map[string]float64
	if err := readKept(path, &into, remeasure); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing kept: %v", err)
	}
	for _, content := range []string{"", `{"a":1`, `{"a":"x"}`, "[1]"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := readKept(path, &into, remeasure); !errors.Is(err, fault.ErrBad) || err.Error() != path+": is damaged: remove it to measure again" {
			t.Errorf("%q: %v", content, err)
		}
	}
}
