package rundir

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine bounds a line of the metrics that is read. No record comes near it.
const maxLine = 1 << 20

// line is one of a file of lines.
type line struct {
	text  []byte // without its end, valid until the next one is read; cut at maxLine
	size  int64  // bytes in the file, end included
	long  bool   // it was cut
	whole bool   // it has its end
}

// blank reports whether nothing stands in the line.
func (l line) blank() bool { return len(bytes.TrimSpace(l.text)) == 0 }

// lineReader reads a file line by line, however long one is.
type lineReader struct {
	r    *bufio.Reader
	text []byte
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line; io.EOF after the last. A file's end without a line's end gives a
// last line that is not whole.
func (l *lineReader) next() (line, error) {
	l.text = l.text[:0]
	var one line
	for {
		part, err := l.r.ReadSlice('\n')
		one.size += int64(len(part))
		room := min(len(part), maxLine-len(l.text))
		l.text, one.long = append(l.text, part[:room]...), one.long || room < len(part)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || one.size == 0) {
			return line{}, err
		}
		one.text, one.whole = bytes.TrimSuffix(l.text, []byte{'\n'}), err == nil
		return one, nil
	}
}
