package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"jem/internal/fault"
)

func TestOnlyWhatConcernsOneFigureIsMissing(t *testing.T) {
	l := &Lab{Options: Options{DataDir: "/some/where"}}
	_, nan := json.Marshal(math.NaN())
	absent := &fault.Error{Path: "/some/where/svhn", Kind: fault.ErrMissing, Reason: "svhn not found; looked in /some/where/svhn, /home"}
	for _, err := range []error{absent, fmt.Errorf("figure: %w", nan)} {
		if got := asMissing(l, err); !isNotRun(got) || strings.Contains(got.Error(), "/some") || strings.Contains(got.Error(), "/home") {
			t.Errorf("%v becomes %v", err, got)
		}
	}
	if got := asMissing(l, io.ErrUnexpectedEOF); isNotRun(got) || !errors.Is(got, io.ErrUnexpectedEOF) {
		t.Errorf("an input error becomes %v", got)
	}
}
