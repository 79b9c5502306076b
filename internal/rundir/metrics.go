package rundir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"jem/internal/rundir/durable"
)

// metrics appends to metrics.jsonl.
type metrics struct {
	path string
	file *os.File
}

// openMetrics opens the file for appending. A last line without its end was torn by a
// crash; it is cut off, or the next record would be glued to it.
func openMetrics(path string) (*metrics, error) {
	if err := cutTornLine(path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &metrics{path, file}, nil
}

// cutTornLine works on the closed file: Windows does not shorten one that is open for
// appending.
func cutTornLine(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	size, err := wholeLines(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Truncate(path, size)
}

// wholeLines returns the length of a file up to its last newline, read from the end.
func wholeLines(file *os.File) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	block := make([]byte, 64<<10)
	for size > 0 {
		part := block[:min(int64(len(block)), size)]
		start := size - int64(len(part))
		if _, err := file.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		size = start
	}
	return 0, nil
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
	_, err = m.file.Write(append(line, '\n'))
	return err
}

func (m *metrics) rewind(step int) error {
	records, err := ReadMetrics(m.path)
	if err != nil {
		return err
	}
	var kept []byte
	for _, r := range records {
		if r.Step > step {
			continue
		}
		line, err := r.MarshalJSON()
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		kept = append(append(kept, line...), '\n')
	}
	// The file is replaced, so the handle must follow; Windows wants it closed before.
	if err := m.file.Close(); err != nil {
		return err
	}
	written := durable.WriteFile(m.path, kept)
	opened, err := openMetrics(m.path)
	if err == nil {
		m.file = opened.file
	}
	return errors.Join(written, err)
}

func (m *metrics) close() error {
	if m == nil {
		return nil
	}
	return errors.Join(m.file.Sync(), m.file.Close())
}

// ReadMetrics returns the records of a metrics.jsonl in their order. A last line without
// its end, torn or just being written, is left out; a missing file has no records.
func ReadMetrics(path string) ([]Record, error) {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var records []Record
	for number := 1; ; number++ {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		if !whole {
			return records, nil
		}
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			return records, fmt.Errorf("%s: line %d: %w", path, number, err)
		}
		records, b = append(records, r), rest
	}
}
