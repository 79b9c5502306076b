// Package tboard writes the event files that TensorBoard reads: scalars, PNG images and
// text.
//
// A file is a sequence of records, each a length, a masked CRC-32C of the length, a
// protocol buffer tensorflow.Event, and a masked CRC-32C of it
// (tensorflow/core/lib/io/record_writer.h and core/util/event.proto). The messages are
// put together field by field, since no maintained Go package has them.
//
// Every start of a run writes a file of its own, as TensorBoard expects, so a record
// torn by a crash, after which nothing is read, ends its file and harms no other. The package does not know what the
// tags mean.
//
//	w, err := tboard.Create(dir, 0)
//	err = w.Scalar("loss/total", step, 1.25)
//	err = w.Close()
package tboard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"jem/internal/durable"
	"jem/internal/failpoint"
)

// Writer appends to one event file. It is for one goroutine.
type Writer struct {
	file  *os.File
	empty bool // it has only what begins a file
}

// Create starts a new event file in dir, which must exist. step is the step after which
// the run goes on: 0 at first, the checkpoint's step on resuming and after a rollback;
// TensorBoard then drops what earlier files have from later steps.
func Create(dir string, step int) (*Writer, error) {
	earlier, err := eventFiles(dir)
	var file *os.File
	if err == nil {
		file, err = createNext(dir, earlier, time.Now())
	}
	if err != nil {
		return nil, fmt.Errorf("create event file: %w", err)
	}
	w := &Writer{file: file}
	err = w.append(versionEvent())
	if err == nil && (step > 0 || len(earlier) > 0) {
		err = w.append(restartEvent(step + 1))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	w.empty = true
	return w, nil
}

// eventFiles are the names of those in a folder, whoever wrote them.
func eventFiles(dir string) (names []string, err error) {
	all, err := os.ReadDir(dir)
	for _, e := range all {
		if strings.HasPrefix(e.Name(), filePrefix) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

const filePrefix = "events.out.tfevents."

// createNext creates a file whose name sorts after those of all event files that are there, since
// TensorBoard reads them in that order: whatever this machine's clock says, and whoever wrote
// the earlier ones.
func createNext(dir string, earlier []string, now time.Time) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, nextName(earlier, now)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// maxSecond is the last of ten digits.
const maxSecond = 9_999_999_999

// nextName is ten digits of time, in seconds: the present, or the first that is later than all
// earlier ones.
func nextName(earlier []string, now time.Time) string {
	second, last := min(max(0, now.Unix()), maxSecond), ""
	for _, name := range earlier {
		last = max(last, name)
		digits, _, _ := strings.Cut(strings.TrimPrefix(name, filePrefix), ".")
		if at, err := strconv.ParseInt(digits, 10, 64); err == nil && at >= second && at < maxSecond {
			second = at + 1
		}
	}
	name := fmt.Sprintf("%s%010d.jem", filePrefix, second)
	if name <= last { // its name says no time
		return last + ".jem"
	}
	return name
}

// Path returns the name of the file.
func (w *Writer) Path() string { return w.file.Name() }

// Scalar records a number. NaN and infinities are allowed.
func (w *Writer) Scalar(tag string, step int, value float64) error {
	return w.append(summaryEvent(step, scalarValue(tag, value)))
}

// Image records a PNG file. Its size and number of channels are read from its header.
func (w *Writer) Image(tag string, step int, png []byte) error {
	value, err := imageValue(tag, png)
	if err != nil {
		return fmt.Errorf("image %s: %w", tag, err)
	}
	return w.append(summaryEvent(step, value))
}

// Text records a text, which TensorBoard shows as Markdown.
func (w *Writer) Text(tag string, step int, markdown string) error {
	return w.append(summaryEvent(step, textValue(tag, markdown)))
}

// Close flushes the file to the disk and closes it. One that got no event is removed: a run
// that is started again and again when it is done leaves nothing.
func (w *Writer) Close() error {
	if w.empty {
		return errors.Join(w.file.Close(), os.Remove(w.file.Name()))
	}
	return errors.Join(durable.Sync(w.file), w.file.Close())
}

// append writes one record in one piece, so that TensorBoard, which may be reading at
// the same time, mostly finds whole records.
func (w *Writer) append(event []byte) error {
	w.empty = false
	return failpoint.Around("events.write", w.file.Name(), func() error { _, err := w.file.Write(record(event)); return err })
}

// record frames an event.
func record(event []byte) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, len(event)+16), uint64(len(event)))
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(b))
	b = append(b, event...)
	return binary.LittleEndian.AppendUint32(b, maskedCRC(event))
}

// maskedCRC is the CRC-32C, rotated and shifted so that a CRC of data which contain
// their own CRC is no constant (tensorflow/core/lib/hash/crc32c.h, Mask).
func maskedCRC(b []byte) uint32 {
	const delta = 0xa282ead8
	crc := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (crc>>15 | crc<<17) + delta
}
