package protocol

import (
	"encoding/binary"
	"math"
)

// fromBytes reads n elements of the binary tensor data extension: little-endian numbers, row-major; of BYTES each
// element behind its length in 4 bytes.
func (t *Tensor) fromBytes(raw []byte, n int) error {
	switch t.Datatype {
	case Bytes:
		return t.fromTexts(raw, n)
	case UInt8:
		if len(raw) != n {
			return wrong("input %s has %d bytes of binary data where its shape %v needs %d", quoted(t.Name), len(raw), shown(t.Shape), n)
		}
		t.U8 = raw
		return nil
	}
	if len(raw)%4 != 0 || len(raw)/4 != n {
		return wrong("input %s has %d bytes of binary data where its shape %v needs %d", quoted(t.Name), len(raw), shown(t.Shape), 4*n)
	}
	t.F32 = make([]float32, n)
	for i := range t.F32 {
		t.F32[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return nil
}

func (t *Tensor) fromTexts(raw []byte, n int) error {
	for range n {
		if len(raw) < 4 {
			return wrong("input %s has %d elements of BYTES where its shape %v needs %d", quoted(t.Name), len(t.Texts), shown(t.Shape), n)
		}
		size := binary.LittleEndian.Uint32(raw)
		raw = raw[4:]
		if uint64(size) > uint64(len(raw)) {
			return wrong("input %s: element %d is to have %d bytes, and %d are left", quoted(t.Name), len(t.Texts)+1, size, len(raw))
		}
		t.Texts = append(t.Texts, raw[:size])
		raw = raw[size:]
	}
	if len(raw) > 0 {
		return wrong("input %s has %d bytes behind the %d elements of its shape", quoted(t.Name), len(raw), n)
	}
	return nil
}

// appendBytes writes the tensor's elements as fromBytes reads them.
func (t *Tensor) appendBytes(b []byte) []byte {
	switch t.Datatype {
	case FP32:
		for _, v := range t.F32 {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	case FP64:
		for _, v := range t.F64 {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	case Int64:
		for _, v := range t.I64 {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
	case UInt8, Bool:
		b = append(b, t.U8...)
	case Bytes:
		for _, v := range t.Texts {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		}
	}
	return b
}
