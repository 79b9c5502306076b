package replay

import (
	"os"
	"path/filepath"
	"testing"

	"jem/internal/mutation"
)

// Both files of a step: the configuration as recorded, of the official code's and of a recipe's, and tensors small
// enough to repeat often.
func TestStepsSurviveMutations(t *testing.T) {
	config, err := os.ReadFile(filepath.Join("testdata", "jem_wrn10_1.json"))
	if err != nil {
		t.Fatal(err)
	}
	header := `{"in/x_p":{"dtype":"F32","shape":[1,1,2,2],"data_offsets":[0,16]},"in/y_lab":{"dtype":"I64","shape":[1],"data_offsets":[16,24]}}`
	tensors := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)
	tensors = append(tensors, make([]byte, 24)...)
	if _, err := decode(tensors); err != nil {
		t.Fatal(err)
	}
	recipe, err := os.ReadFile(filepath.Join("testdata", "recipes", "eb-jdat.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		good []byte
		try  func([]byte) bool
	}{
		"json": {config, func(file []byte) bool {
			c, err := parseConfig(file)
			if err == nil && c.validate() != nil {
				t.Error("accepted a configuration that is not valid")
			}
			return err == nil
		}},
		"recipe": {recipe, func(file []byte) bool {
			r, err := parseRecipe(file)
			return err == nil && r != nil
		}},
		"safetensors": {tensors, func(file []byte) bool {
			all, err := decode(file)
			for name, v := range all {
				want := 1
				for _, d := range v.Shape {
					want *= d
				}
				if v.Len() != want {
					t.Errorf("%q: %d values for shape %v", name, v.Len(), v.Shape)
				}
			}
			return err == nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := mutation.Count(1000)
			got := mutation.Run(c.good, n, c.try)
			for _, f := range got.Failures {
				t.Error(f)
			}
			if got.Refused < n/10 {
				t.Errorf("%d of %d refused: the mutations don't bite", got.Refused, n)
			}
		})
	}
}
