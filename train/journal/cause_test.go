package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/config"
	"jem/feed"
)

// A checkpoint that fails in the middle, because the run's folder was moved away, says that.
func TestTheCauseOfAFailureIsTheFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	j, err := Create(Options{Path: path, Config: config.Default(), Facts: feed.Facts{Classes: []string{"a", "b"}}, Device: "test", StepsPerEpoch: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }() // the folder is gone
	trouble := errors.New("open step-00000001.tmp: no such file")
	if err := j.cause(trouble); err != trouble || j.cause(nil) != nil {
		t.Errorf("in place: got %v", err)
	}
	if err := os.Rename(path, path+"-moved"); err != nil {
		t.Skip("folders in use can't be moved here: ", err)
	}
	if err := j.cause(trouble); err == nil || !strings.Contains(err.Error(), "renamed, moved or removed") {
		t.Errorf("moved: got %v", err)
	}
}
