package tboard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields is a decoded protocol buffer: for each field number its values, as uint64 for
// numbers and []byte for everything else.
type fields map[protowire.Number][]any

func decode(t *testing.T, b []byte) fields {
	t.Helper()
	f := fields{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var v any
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var x uint32
			x, n = protowire.ConsumeFixed32(b)
			v = uint64(x)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		default:
			v, n = protowire.ConsumeBytes(b)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		f[num] = append(f[num], v)
		b = b[n:]
	}
	return f
}

// at follows field numbers down to a value.
func (f fields) at(t *testing.T, path ...protowire.Number) any {
	t.Helper()
	var v any
	for i, num := range path {
		if len(f[num]) != 1 {
			t.Fatalf("field %v appears %d times, want once", path[:i+1], len(f[num]))
		}
		v = f[num][0]
		if i < len(path)-1 {
			f = decode(t, v.([]byte))
		}
	}
	return v
}

// unmask undoes maskedCRC by its inverse, written down independently.
func unmask(m uint32) uint32 {
	rot := m - 0xa282ead8
	return rot>>17 | rot<<15
}

// readAll returns the events of a file; each CRC must be right.
func readAll(t *testing.T, path string) (events []fields) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		if unmask(binary.LittleEndian.Uint32(b[8:])) != crc32.Checksum(b[:8], table) {
			t.Fatalf("record %d: CRC of the length", len(events))
		}
		data := b[12 : 12+n]
		if unmask(binary.LittleEndian.Uint32(b[12+n:])) != crc32.Checksum(data, table) {
			t.Fatalf("record %d: CRC of the data", len(events))
		}
		events = append(events, decode(t, data))
		b = b[16+n:]
	}
	return events
}

func create(t *testing.T, dir string, step int) *Writer {
	t.Helper()
	w, err := Create(dir, step)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.file.Close() }) // a second Close is an error, and harmless
	return w
}

func encodePNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The CRC-32C of 32 zero bytes is in RFC 3720, B.4; masked by hand.
func TestMaskedCRC(t *testing.T) {
	const crc = 0x8a9136aa
	var sum uint32 = crc>>15 | crc<<17&math.MaxUint32
	if got := maskedCRC(make([]byte, 32)); got != sum+0xa282ead8 {
		t.Errorf("got %#x, want %#x", got, sum+0xa282ead8)
	}
}

func TestEventsHaveTheFieldsTensorBoardReads(t *testing.T) {
	w := create(t, t.TempDir(), 0)
	picture := encodePNG(t, image.NewGray(image.Rect(0, 0, 5, 3)))
	for _, err := range []error{
		w.Scalar("loss/total", 1<<40, 1.5), w.Scalar("nan", 2, math.NaN()),
		w.Image("samples", 3, picture), w.Text("config", 4, "# Ü"), w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	events := readAll(t, w.Path())
	if len(events) != 5 {
		t.Fatalf("%d events, want 5", len(events))
	}
	if v := events[0].at(t, 3); string(v.([]byte)) != "brain.Event:2" {
		t.Errorf("file version %q", v)
	}
	wall := math.Float64frombits(events[1].at(t, 1).(uint64))
	if age := time.Since(time.Unix(int64(wall), 0)); age < -time.Second || age > time.Hour {
		t.Errorf("wall time %v", wall)
	}
	for _, c := range []struct {
		event int
		path  []protowire.Number
		want  any
	}{
		{1, []protowire.Number{2}, uint64(1 << 40)},
		{1, []protowire.Number{5, 1, 1}, "loss/total"},
		{1, []protowire.Number{5, 1, 2}, uint64(math.Float32bits(1.5))},
		{2, []protowire.Number{5, 1, 2}, uint64(math.Float32bits(float32(math.NaN())))},
		{3, []protowire.Number{5, 1, 4, 1}, uint64(3)},
		{3, []protowire.Number{5, 1, 4, 2}, uint64(5)},
		{3, []protowire.Number{5, 1, 4, 3}, uint64(1)},
		{3, []protowire.Number{5, 1, 4, 4}, string(picture)},
		{4, []protowire.Number{5, 1, 8, 1}, uint64(7)},
		{4, []protowire.Number{5, 1, 8, 2, 2, 1}, uint64(1)},
		{4, []protowire.Number{5, 1, 8, 8}, "# Ü"},
		{4, []protowire.Number{5, 1, 9, 1, 1}, "text"},
	} {
		got := events[c.event].at(t, c.path...)
		if b, ok := got.([]byte); ok {
			got = string(b)
		}
		if got != c.want {
			t.Errorf("event %d, field %v: got %v, want %v", c.event, c.path, got, c.want)
		}
	}
}

// A start that records nothing, as of a run that is done, leaves no file.
func TestAStartWithoutEventsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := create(t, dir, 7).Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := eventFiles(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestEachStartHasItsOwnFileInOrder(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for step := range 3 {
		w := create(t, dir, step)
		paths = append(paths, w.Path())
		if err := errors.Join(w.Scalar("loss", step, 1), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSorted(paths) || paths[0] == paths[1] || !strings.Contains(paths[0], "tfevents") {
		t.Errorf("files %v", paths)
	}
	if n := len(readAll(t, paths[0])); n != 2 {
		t.Errorf("a fresh run's file has %d events, want its head and one", n)
	}
	restart := readAll(t, paths[2])[1]
	if restart.at(t, 2) != uint64(3) || restart.at(t, 7, 1) != uint64(1) {
		t.Errorf("resuming after step 2: %v", restart)
	}
}

func TestImageKnowsPNGsAndNothingElse(t *testing.T) {
	w := create(t, t.TempDir(), 0)
	r := image.Rect(0, 0, 2, 2)
	opaque := image.NewRGBA(r)
	for i := range opaque.Pix {
		opaque.Pix[i] = 255
	}
	for i, c := range []struct {
		img  image.Image
		want uint64
	}{{image.NewGray(r), 1}, {image.NewGray16(r), 1}, {opaque, 3}, {image.NewNRGBA(r), 4}} {
		if err := w.Image(fmt.Sprint(i), i, encodePNG(t, c.img)); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, w.Path())[i+1].at(t, 5, 1, 4, 3); got != c.want {
			t.Errorf("image %d: %v channels, want %d", i, got, c.want)
		}
	}
	if err := w.Image("x", 0, []byte("GIF89a")); err == nil || !strings.Contains(err.Error(), "image x") {
		t.Errorf("a GIF: %v", err)
	}
}

func TestErrorsAreReturned(t *testing.T) {
	if _, err := Create(filepath.Join(t.TempDir(), "none"), 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	w := create(t, t.TempDir(), 0)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Scalar("x", 1, 1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
}

// A start's file is read after all others, though the clock says that they are of the future.
func TestANewFileSortsAfterAllThatAreThere(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, earlier := range [][]string{
		nil,
		{"events.out.tfevents.1700000000.jem"},
		{"events.out.tfevents.1800000000.jem"},
		{"events.out.tfevents.1800000000.000.jem", "events.out.tfevents.1800000000.001.jem"}, // as earlier programs named them
		{"events.out.tfevents.1900000000.jem", "events.out.tfevents.1800000000.jem"},
		{"events.out.tfevents.1900000000.host.17.0.v2"},
		{"events.out.tfevents.9999999999.jem"},
		{"events.out.tfevents.mine"},
		{"events.out.tfevents.99999999999999999999"},
	} {
		for range 3 {
			name := nextName(earlier, now)
			for _, e := range earlier {
				if name <= e {
					t.Errorf("%s comes before %s", name, e)
				}
			}
			earlier = append(earlier, name)
		}
	}
}
