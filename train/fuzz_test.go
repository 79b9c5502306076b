package train

import (
	"errors"
	"strings"
	"testing"

	"jem/internal/checkpoint"
	"jem/internal/fault"
)

// A state.json is one that a trainer can go on from, or refused in a sentence of bounded length.
func FuzzState(f *testing.F) {
	good := `{"step":7,"stage":1,"reseed":1,"rollbacks":[{"at":9,"to":4,"reason":"x"}],"baseline":{"steps":7,"mean":1,"variance":2},"best_step":3,"best":0.5,"last":{"split":"test"},"numerics":{"kind":"cpu","isa":"avx2","choices":{"a":"b"}},"keeper":{"records":3}}`
	for _, s := range []string{"", "null", "[]", good, good[:40], strings.Replace(good, ":7", ":-7", 1), strings.Replace(good, `"cpu"`, `"`+strings.Repeat("x", 500)+`"`, 1), `{"step":"` + strings.Repeat("x", 500) + `"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := readState(&checkpoint.Checkpoint{Path: "step-00000007", Step: 7, State: text})
		var bad *fault.Error
		if err != nil && (!errors.As(err, &bad) || len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\x1b\n")) {
			t.Errorf("%T: %q", err, err)
		}
		if err == nil && (s.Step != 7 || s.Stage < 0 || s.Stage > betweenStages || s.Reseed != uint64(len(s.Rollbacks))) {
			t.Errorf("accepted %+v", s.Progress)
		}
	})
}
