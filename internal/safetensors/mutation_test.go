package safetensors

import (
	"bytes"
	"testing"

	"jem/internal/mutation"
)

// What is accepted is written and read again as the same tensors.
func TestReadSurvivesMutations(t *testing.T) {
	good := encoded(t, examples()[:4])
	n := mutation.Count(1000)
	got := mutation.Run(good, n, func(file []byte) bool {
		first, err := decoded(file)
		if err != nil {
			return false
		}
		again := encoded(t, first)
		if second, err := decoded(again); err != nil || !bytes.Equal(encoded(t, second), again) {
			t.Errorf("written and read again: %v", err)
		}
		return true
	})
	for _, f := range got.Failures {
		t.Error(f)
	}
	if got.Refused < n/2 {
		t.Errorf("%d of %d refused: the mutations don't bite", got.Refused, n)
	}
}
