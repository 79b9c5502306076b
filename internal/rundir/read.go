package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"jem/internal/durable"
)

// ReadMetrics returns the records of a metrics.jsonl in their order. A missing file has none,
// and a last line without its end, torn or just being written, is left out. Other lines that
// are no records, as a power cut or a stranger leaves them, are passed over: note says in a
// sentence how many there are, and is empty where there are none. Errors: those of durable.Open,
// or of the file system.
func ReadMetrics(path string) (records []Record, note string, err error) {
	file, err := durable.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer file.Close() // nothing was written
	records, bad, err := decodeMetrics(file)
	return records, bad.note(path), err
}

// strays are lines of the metrics that are no records.
type strays struct {
	count, first int // first is a line's number, from 1
}

func (s strays) note(path string) string {
	switch s.count {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s: line %d is no record and is passed over", path, s.first)
	}
	return fmt.Sprintf("%s: %d lines are no records and are passed over, the first is line %d", path, s.count, s.first)
}

func decodeMetrics(r io.Reader) (records []Record, bad strays, err error) {
	lines := newLineReader(r)
	for number := 1; ; number++ {
		l, err := lines.next()
		if errors.Is(err, io.EOF) || err == nil && !l.whole {
			return records, bad, nil
		}
		if err != nil {
			return records, bad, err
		}
		var record Record
		switch {
		case l.blank():
		case !l.long && json.Unmarshal(l.text, &record) == nil:
			records = append(records, record)
		default:
			if bad.count++; bad.count == 1 {
				bad.first = number
			}
		}
	}
}
