package torchfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// source reads a stretch of the file in order and knows where it is.
type source struct {
	r   *bufio.Reader
	pos int64 // byte of the file that comes next
	end int64 // first byte that may not be read
}

func newSource(r io.ReaderAt, from, end int64) *source {
	return &source{r: bufio.NewReader(io.NewSectionReader(r, from, end-from)), pos: from, end: end}
}

// bytes returns the next n bytes. It allocates nothing that is not there.
func (s *source) bytes(n int64, what string) ([]byte, error) {
	if n < 0 || n > s.end-s.pos {
		return nil, refuse(s.pos, "%s of %d bytes where %d are left", what, n, s.end-s.pos)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return nil, s.failed(err, what)
	}
	s.pos += n
	return b, nil
}

func (s *source) byte(what string) (byte, error) {
	if s.pos >= s.end {
		return 0, refuse(s.pos, "the file ends where %s is due", what)
	}
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, s.failed(err, what)
	}
	s.pos++
	return b, nil
}

// line returns the text up to the next newline.
func (s *source) line(limit int, what string) (string, error) {
	var line []byte
	for {
		b, err := s.byte(what)
		if err != nil || b == '\n' {
			return string(line), err
		}
		if line = append(line, b); len(line) > limit {
			return "", refuse(s.pos, "%s of more than %d bytes", what, limit)
		}
	}
}

// number reads a little-endian unsigned integer of size bytes.
func (s *source) number(size int64, what string) (uint64, error) {
	b, err := s.bytes(size, what)
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), err
}

// skip passes over n bytes.
func (s *source) skip(n int64, what string) error {
	if n < 0 || n > s.end-s.pos {
		return refuse(s.pos, "%s of %d bytes where %d are left", what, n, s.end-s.pos)
	}
	if _, err := io.CopyN(io.Discard, s.r, n); err != nil {
		return s.failed(err, what)
	}
	s.pos += n
	return nil
}

// failed tells a file that got shorter from a disk that fails.
func (s *source) failed(err error, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(s.pos, "the file ends within %s", what)
	}
	return err
}
