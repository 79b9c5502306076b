package experiments

import (
	"encoding/json"
	"errors"
	"strings"

	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/metrics"
)

// asMissing turns the errors that concern one figure alone into a *NotRun: absent images, and
// numbers that are not finite. Others stay: nothing else would work either.
func asMissing(l *Lab, err error) error {
	var value *json.UnsupportedValueError // NaN or infinite
	switch {
	case errors.Is(err, fault.ErrMissing), errors.Is(err, fault.ErrBad), errors.Is(err, metrics.ErrInput), errors.As(err, &value):
		reason, _, _ := strings.Cut(err.Error(), "; looked in")
		return &NotRun{l.elsewhere(reason)}
	}
	return err
}

// elsewhere takes this machine's data folder out of a text: tables are read on others.
func (o Options) elsewhere(text string) string {
	if o.DataDir == "" {
		return text
	}
	return strings.ReplaceAll(text, o.DataDir, "DATA_DIR")
}

// has reports whether the pictures of a set are where they are looked for.
func (o Options) has(set string) bool {
	_, err := data.Pictures(set, o.DataDir)
	return err == nil
}
