package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Read reads a file of size bytes. It allocates no more than the file has, whatever
// the header claims. Tensors come in the order of their data.
func Read(r io.Reader, size int64) ([]Tensor, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, fmt.Errorf("%d bytes, too short for a header", size)
	}
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, fmt.Errorf("header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > MaxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("header of %d bytes in a file of %d, at most %d are allowed", n, size, MaxHeader)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	entries, err := decodeHeader(header, size-8-int64(n))
	if err != nil {
		return nil, err
	}
	tensors := make([]Tensor, len(entries))
	d := decoder{r: r}
	for i, e := range entries {
		if tensors[i], err = d.tensor(e); err != nil {
			return nil, in(e.name, err)
		}
	}
	return tensors, nil
}

// decoder turns bytes into values through one buffer.
type decoder struct {
	r     io.Reader
	bytes []byte // up to 8·chunk
}

func (d *decoder) tensor(e entry) (t Tensor, err error) {
	t = Tensor{Name: e.name, Shape: e.shape}
	n := int((e.end - e.start) / e.width())
	switch e.dtype {
	case "I32":
		t.I32 = make([]int32, n)
		return t, decode(d, t.I32, 4, func(b []byte) (int32, error) { return int32(binary.LittleEndian.Uint32(b)), nil })
	case "I64":
		t.I32 = make([]int32, n)
		return t, decode(d, t.I32, 8, narrow)
	}
	t.F32 = make([]float32, n)
	return t, decode(d, t.F32, 4, func(b []byte) (float32, error) { return math.Float32frombits(binary.LittleEndian.Uint32(b)), nil })
}

// narrow reads an integer of 64 bits that fits into 32.
func narrow(b []byte) (int32, error) {
	v := int64(binary.LittleEndian.Uint64(b))
	if v != int64(int32(v)) {
		return 0, fmt.Errorf("an element is %d, beyond 32 bits", v)
	}
	return int32(v), nil
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
