package rundir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"jem/internal/failpoint"
)

// metrics appends to metrics.jsonl.
type metrics struct {
	path    string
	file    *os.File
	records int // in the file
}

// openMetrics opens the file for appending. A last line without its end was torn by a
// crash; it is cut off, or the next record would be glued to it.
func openMetrics(path string) (*metrics, error) {
	size, records, err := measure(path, math.MaxInt)
	if err == nil {
		err = os.Truncate(path, size) // before it is opened: Windows
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &metrics{path: path, file: file, records: records}, nil
}

// measure returns the number of whole lines in a file, at most limit, and their size.
func measure(path string, limit int) (size int64, lines int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close() // nothing was written
	for r := bufio.NewReader(file); lines < limit; lines++ {
		n, err := skipLine(r)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, 0, err
		}
		size += n
	}
	return size, lines, nil
}

// skipLine returns the length of the next line with its end; io.EOF if it has none.
func skipLine(r *bufio.Reader) (n int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		n += int64(len(part))
		if err != bufio.ErrBufferFull {
			return n, err
		}
	}
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
	size, _, err := measure(m.path, records)
	if err != nil {
		return err
	}
	// Windows does not shorten a file that is open for appending.
	if err := m.file.Close(); err != nil {
		return err
	}
	cut := os.Truncate(m.path, size)
	opened, err := openMetrics(m.path)
	if err == nil {
		*m = *opened
	}
	return errors.Join(cut, err)
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
