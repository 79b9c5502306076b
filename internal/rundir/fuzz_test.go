package rundir

import (
	"bytes"
	"strings"
	"testing"

	"jem/internal/fault"
)

const goodLine = `{"time":"2026-11-24T09:13:00.123Z","step":7,"kind":"train","text":"a","loss":"NaN","gap":1e-3}` + "\n"

// Whatever stands in a file of metrics, each of its whole lines is a record or counted, and the
// records are written and read again as they are.
func FuzzMetrics(f *testing.F) {
	for _, s := range []string{"", goodLine, goodLine + goodLine[:20], "\n\n" + goodLine, strings.Repeat("\x00", 100) + "\n" + goodLine, `{"loss":1e999}` + "\n", `{"step":-1}` + "\n", "[]\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		records, bad, err := decodeMetrics(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		lines, size, torn, err := measure(bytes.NewReader(file), 1<<30)
		if err != nil || lines != len(records)+bad.count || size+torn != int64(len(file)) {
			t.Errorf("%d lines of %d bytes and %d torn, %d records and %d others, %v", lines, size, torn, len(records), bad.count, err)
		}
		var again bytes.Buffer
		for _, r := range records {
			b, err := r.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			again.Write(append(b, '\n'))
		}
		if same, bad, err := decodeMetrics(&again); err != nil || bad.count > 0 || len(same) != len(records) {
			t.Errorf("written and read again: %d of %d, %d others, %v", len(same), len(records), bad.count, err)
		}
	})
}

// What is no list of starts is refused with the file's name and nothing of its content.
func FuzzEnv(f *testing.F) {
	for _, s := range []string{"", "null", "[]", `[{"start":"2026-11-24T09:13:00Z","go":"go1.26","cores":2}]`, `[{"start":"2026`, `{"a":1}`, `[{"a":1}]`, `["` + strings.Repeat("x", 500) + `"]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		all, err := decodeEnv("env.json", file)
		if err != nil && err.Error() != (&fault.Error{Path: "env.json", Reason: "is no list of a run's starts"}).Error() {
			t.Errorf("%v", err)
		}
		for _, e := range all {
			if e.Start.IsZero() || e.Go == "" {
				t.Errorf("%+v is no start", e)
			}
		}
	})
}
