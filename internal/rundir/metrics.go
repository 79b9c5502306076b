package rundir

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"jem/internal/durable"
	"jem/internal/failpoint"
)

// metrics appends to metrics.jsonl.
type metrics struct {
	path    string
	file    *os.File
	records int // in the file
}

// openMetrics opens the file for appending. A last line without its end was torn by a crash; it
// is cut off, or the next record would be glued to it, and note says so.
func openMetrics(path string) (m *metrics, note string, err error) {
	records, torn, err := cut(path, math.MaxInt)
	if err != nil {
		return nil, "", err
	}
	if torn > 0 {
		note = fmt.Sprintf("%s: its last %d bytes are no whole line and were cut off", path, torn)
	}
	file, err := durable.OpenOwn(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, "", err
	}
	return &metrics{path: path, file: file, records: records}, note, nil
}

// cut shortens a file to its first lines, at most limit and whole ones, and returns their number
// and that of the bytes after the last whole line. Blank lines don't count.
func cut(path string, limit int) (lines int, torn int64, err error) {
	file, err := durable.OpenOwn(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	lines, size, torn, err := measure(file, limit)
	if err == nil {
		err = file.Truncate(size)
	}
	return lines, torn, errors.Join(err, file.Close())
}

// measure returns the number of whole lines, at most limit, their size, and the number of bytes
// that follow the last line of all.
func measure(r io.Reader, limit int) (lines int, size, torn int64, err error) {
	for all := newLineReader(r); lines < limit; {
		l, err := all.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, 0, 0, err
		}
		if !l.whole {
			return lines, size, l.size, nil
		}
		if size += l.size; !l.blank() {
			lines++
		}
	}
	return lines, size, 0, nil
}

// append writes one line in one piece.
func (m *metrics) append(r Record) error {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	line, err := r.MarshalJSON()
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	err = failpoint.Around("metrics.write", m.path, func() error { _, err := m.file.Write(append(line, '\n')); return err })
	if err != nil {
		return err
	}
	m.records++
	return nil
}

// truncate cuts the file after so many lines.
func (m *metrics) truncate(records int) error {
	if records >= m.records {
		return nil
	}
	// Windows does not shorten a file that is open for appending.
	if err := m.file.Close(); err != nil {
		return err
	}
	_, _, err := cut(m.path, records)
	if err != nil {
		return err
	}
	opened, _, err := openMetrics(m.path)
	if err == nil {
		*m = *opened
	}
	return err
}

func (m *metrics) close() error {
	if m == nil {
		return nil
	}
	return errors.Join(durable.Sync(m.file), m.file.Close())
}
