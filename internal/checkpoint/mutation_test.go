package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"jem/internal/mutation"
)

// A checkpoint with one damaged file is refused, whichever file it is: its content is hashed.
func TestCheckpointsSurviveMutations(t *testing.T) {
	dir := save(t, open(t, t.TempDir()), 3)
	for _, name := range []string{manifestName, stateName, "model.safetensors"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := mutation.Run(good, mutation.Count(300), func(file []byte) bool {
				if err := os.WriteFile(path, file, 0o666); err != nil {
					t.Error(err)
				}
				_, err := Load(dir)
				if same := bytes.Equal(file, good); (err == nil) != same {
					t.Errorf("unchanged: %v, but: %v", same, err)
				}
				return err == nil
			})
			for _, f := range got.Failures {
				t.Error(f)
			}
			if err := os.WriteFile(path, good, 0o666); err != nil {
				t.Fatal(err)
			}
		})
	}
}
