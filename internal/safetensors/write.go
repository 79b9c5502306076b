package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"unsafe"
)

// chunk is how many values are converted at a time: 1 MiB of them.
const chunk = 1 << 18

// Size returns the number of bytes that Write produces.
func Size(tensors []Tensor) (int64, error) {
	header, data, err := encodeHeader(nil, tensors)
	return int64(len(header)) + data, err
}

// Write writes the tensors in the order given. The bytes are a function of the
// tensors: the same state gives the same file.
func Write(w io.Writer, tensors []Tensor) error { return WriteWith(w, nil, tensors) }

// WriteWith is Write with texts about the tensors in the header; nil: none.
func WriteWith(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	header, _, err := encodeHeader(metadata, tensors)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	e := encoder{w: w}
	for _, t := range tensors {
		if err := e.tensor(t); err != nil {
			return in(t.Name, err)
		}
	}
	return nil
}

// encodeHeader returns everything before the data, padded so that the data starts at
// a multiple of eight bytes, and the number of bytes of data.
func encodeHeader(metadata map[string]string, tensors []Tensor) (header []byte, data int64, err error) {
	if len(tensors) > MaxTensors {
		return nil, 0, fmt.Errorf("%d tensors, at most %d fit in a file", len(tensors), MaxTensors)
	}
	header = append(make([]byte, 8), '{')
	if len(metadata) > 0 {
		about, err := json.Marshal(metadata)
		if err != nil {
			return nil, 0, err
		}
		header = append(append(header, `"`+metadataKey+`":`...), about...)
	}
	seen := make(map[string]bool, len(tensors))
	for i, t := range tensors {
		n, err := t.check()
		if err != nil {
			return nil, 0, in(t.Name, err)
		}
		if seen[t.Name] {
			return nil, 0, refuse("tensor %q: name used twice", t.Name)
		}
		seen[t.Name] = true
		end := data + 4*int64(n)
		entry, err := encodeEntry(t, data, end)
		if err != nil {
			return nil, 0, in(t.Name, err)
		}
		if i > 0 || len(metadata) > 0 {
			header = append(header, ',')
		}
		header, data = append(header, entry...), end
	}
	header = append(header, '}')
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	if len(header)-8 > MaxHeader {
		return nil, 0, fmt.Errorf("header has %d bytes, at most %d are allowed: shorten the names", len(header)-8, MaxHeader)
	}
	binary.LittleEndian.PutUint64(header, uint64(len(header)-8))
	return header, data, nil
}

// encodeEntry returns `"name":{…}`.
func encodeEntry(t Tensor, start, end int64) ([]byte, error) {
	name, err := json.Marshal(t.Name)
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}{t.dtype(), append([]int{}, t.Shape...), [2]int64{start, end}})
	return append(append(name, ':'), value...), err
}

// encoder turns values into bytes through one buffer.
type encoder struct {
	w     io.Writer
	bytes []byte    // up to 4·chunk
	fill  []float32 // what Fill writes into
}

func (e *encoder) tensor(t Tensor) error {
	switch {
	case t.I32 != nil:
		return encode(e, t.I32, func(v int32) uint32 { return uint32(v) })
	case t.Fill != nil:
		n, err := elements(t.Shape)
		if err != nil {
			return err
		}
		if cap(e.fill) < n {
			e.fill = make([]float32, n)
		}
		if err := t.Fill(e.fill[:n]); err != nil {
			return err
		}
		return encode(e, e.fill[:n], math.Float32bits)
	}
	return encode(e, t.F32, math.Float32bits)
}

// asStored is whether this machine's memory holds numbers as the file does.
var asStored = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

func encode[T float32 | int32](e *encoder, values []T, bits func(T) uint32) error {
	for len(values) > 0 {
		part := values[:min(chunk, len(values))]
		values = values[len(part):]
		if asStored {
			if _, err := e.w.Write(unsafe.Slice((*byte)(unsafe.Pointer(&part[0])), 4*len(part))); err != nil {
				return err
			}
			continue
		}
		e.bytes = e.bytes[:0]
		for _, v := range part {
			e.bytes = binary.LittleEndian.AppendUint32(e.bytes, bits(v))
		}
		if _, err := e.w.Write(e.bytes); err != nil {
			return err
		}
	}
	return nil
}
