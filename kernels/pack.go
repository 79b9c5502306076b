package kernels

import "math"

// word is the value in the low bytes of an eight-byte word, and whether it fits.
func word(value any, a Arg) (uint64, bool) {
	switch v := value.(type) {
	case uintptr:
		return uint64(v), a.Type == Pointer && (v != 0 || a.Optional)
	case int:
		return integer(int64(v), a.Type)
	case int32:
		return integer(int64(v), a.Type)
	case int64:
		return integer(v, a.Type)
	case uint32:
		return uint64(v), a.Type == U32
	case uint64:
		return v, a.Type == U64 || a.Type == Pointer && (v != 0 || a.Optional)
	case float32:
		return uint64(math.Float32bits(v)), a.Type == F32
	}
	return 0, false
}

func integer(v int64, t Type) (uint64, bool) {
	if t == I32 {
		return uint64(uint32(v)), v == int64(int32(v))
	}
	return uint64(v), t == I64
}
