package rundir

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"
)

// Record is one line of metrics.jsonl, a flat JSON object: time, step, kind, text if
// there is one, and the values under their own names.
type Record struct {
	Time   time.Time // zero: Log puts the present
	Step   int       // completed training steps
	Kind   string    // what the line is about: train, eval, warning, rollback, …
	Text   string    // for people
	Values map[string]float64
}

// reserved are the keys that are no values.
var reserved = []string{"time", "step", "kind", "text"}

// MarshalJSON writes the keys in a fixed order, values sorted by name. JSON has no
// numbers for what a diverged run must be able to say: "NaN", "Infinity" and
// "-Infinity" are written as strings, as protocol buffers do in JSON.
func (r Record) MarshalJSON() ([]byte, error) {
	b := append([]byte(`{"time":"`), r.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00")...)
	b = strconv.AppendInt(append(b, `","step":`...), int64(r.Step), 10)
	for _, text := range []struct{ key, value string }{{"kind", r.Kind}, {"text", r.Text}} {
		if text.value != "" {
			b = appendString(append(appendString(append(b, ','), text.key), ':'), text.value)
		}
	}
	names := make([]string, 0, len(r.Values))
	for name := range r.Values {
		if slices.Contains(reserved, name) {
			return nil, fmt.Errorf("value named %q: the name is taken", name)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		b = AppendNumber(append(appendString(append(b, ','), name), ':'), r.Values[name])
	}
	return append(b, '}'), nil
}

func appendString(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string cannot fail
	return append(b, quoted...)
}

// AppendNumber appends a number as records have it: those that JSON lacks are strings.
func AppendNumber(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// UnmarshalJSON reads what MarshalJSON writes. Values of other types are errors, and so is a
// negative step.
func (r *Record) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*r = Record{Values: map[string]float64{}}
	for key, value := range raw {
		if err := r.set(key, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if r.Step < 0 {
		return fmt.Errorf("step %d", r.Step)
	}
	return nil
}

func (r *Record) set(key string, value json.RawMessage) error {
	switch key {
	case "time":
		return json.Unmarshal(value, &r.Time)
	case "step":
		return json.Unmarshal(value, &r.Step)
	case "kind":
		return json.Unmarshal(value, &r.Kind)
	case "text":
		return json.Unmarshal(value, &r.Text)
	}
	var number float64
	var err error
	switch string(value) {
	case `"NaN"`:
		number = math.NaN()
	case `"Infinity"`:
		number = math.Inf(1)
	case `"-Infinity"`:
		number = math.Inf(-1)
	default:
		err = json.Unmarshal(value, &number)
	}
	r.Values[key] = number
	return err
}
