package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"jem/internal/dtype"
)

// File is a file whose header has been read. Its numbers are read when they are asked for.
type File struct {
	Entries  []Entry           // in the order of their data
	Metadata map[string]string // the texts that the header has beside tensors; nil where there are none

	r    io.ReaderAt
	data int64 // first byte after the header
}

// Open reads the header of a file of size bytes. It allocates no more than the file has, whatever the
// header claims.
func Open(r io.ReaderAt, size int64) (*File, error) {
	head := io.NewSectionReader(r, 0, size)
	entries, about, err := readHeader(head, size)
	if err != nil {
		return nil, err
	}
	data, err := head.Seek(0, io.SeekCurrent)
	return &File{Entries: entries, Metadata: about, r: r, data: data}, err
}

// Tensor reads the numbers of an entry whose type is one of floats or integers.
func (f *File) Tensor(e Entry) (Tensor, error) {
	d := decoder{r: io.NewSectionReader(f.r, f.data+e.start, e.end-e.start)}
	t, err := d.tensor(e)
	if err != nil {
		return t, in(e.Name, err)
	}
	return t, nil
}

// Read reads a file of size bytes in one go. It allocates no more than the file has, whatever
// the header claims. Tensors come in the order of their data.
func Read(r io.Reader, size int64) ([]Tensor, error) {
	entries, _, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	tensors := make([]Tensor, len(entries))
	d := decoder{r: r}
	for i, e := range entries {
		if tensors[i], err = d.tensor(e); err != nil {
			return nil, in(e.Name, err)
		}
	}
	return tensors, nil
}

func readHeader(r io.Reader, size int64) ([]Entry, map[string]string, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, nil, fmt.Errorf("%d bytes, too short for a header", size)
	}
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, nil, fmt.Errorf("header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > MaxHeader || int64(n) > size-8 {
		return nil, nil, fmt.Errorf("header of %d bytes in a file of %d, at most %d are allowed", n, size, MaxHeader)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	return decodeHeader(header, size-8-int64(n))
}

// decoder turns bytes into values through one buffer.
type decoder struct {
	r     io.Reader
	bytes []byte // up to 8·chunk
}

func (d *decoder) tensor(e Entry) (t Tensor, err error) {
	t = Tensor{Name: e.Name, Shape: e.Shape}
	width := int(e.Type.Size)
	n := int(e.end-e.start) / width
	switch {
	case e.Type.Name == dtype.Float32.Name: // to the bit, payloads of NaN included
		t.F32 = make([]float32, n)
		return t, decode(d, t.F32, width, func(b []byte) (float32, error) { return math.Float32frombits(binary.LittleEndian.Uint32(b)), nil })
	case e.Type.Float():
		t.F32 = make([]float32, n)
		return t, decode(d, t.F32, width, e.Type.Value)
	case e.Type.Whole():
		t.I32 = make([]int32, n)
		return t, decode(d, t.I32, width, e.Type.Count)
	}
	return t, refuse("numbers of type %s are not read: want floats, int32 or int64", e.Type.Name)
}

// decode fills values, each read from so many bytes.
func decode[T float32 | int32](d *decoder, values []T, width int, value func([]byte) (T, error)) (err error) {
	for len(values) > 0 {
		part := values[:min(chunk, len(values))]
		values = values[len(part):]
		if cap(d.bytes) < width*len(part) {
			d.bytes = make([]byte, width*len(part))
		}
		raw := d.bytes[:width*len(part)]
		if _, err := io.ReadFull(d.r, raw); err != nil {
			return err
		}
		for i := range part {
			if part[i], err = value(raw[width*i : width*(i+1)]); err != nil {
				return err
			}
		}
	}
	return nil
}
