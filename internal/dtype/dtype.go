// Package dtype knows the types of numbers that files of tensors are written in, and turns those that a
// network can have into float32 and int32.
//
// It knows no file format: readers map a format's own names to these types.
package dtype

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Type is a type of numbers, little-endian.
type Type struct {
	Name  string // as PyTorch calls it: float32
	Size  int64  // bytes
	float func(b []byte) float64
	whole func(b []byte) int64
}

// Float holds for types whose numbers Value reads. Of types that are neither Float nor Whole only the size is known.
func (t Type) Float() bool { return t.float != nil }

// Whole holds for types whose numbers Count reads: int32 and int64.
func (t Type) Whole() bool { return t.whole != nil }

// The types that a network's tensors have.
var (
	Float32  = Type{"float32", 4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }, nil}
	Float64  = Type{"float64", 8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }, nil}
	Float16  = Type{"float16", 2, func(b []byte) float64 { return half(binary.LittleEndian.Uint16(b)) }, nil}
	BFloat16 = Type{"bfloat16", 2, func(b []byte) float64 { return bfloat16(binary.LittleEndian.Uint16(b)) }, nil}
	Int64    = Type{"int64", 8, nil, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }}
	Int32    = Type{"int32", 4, nil, func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }}
)

// Other is a type whose numbers are not read: bool, complex64, float8_e4m3fn.
func Other(name string, size int64) Type { return Type{Name: name, Size: size} }

// Value reads a floating-point number from its bytes. A finite number must be finite as float32, too.
func (t Type) Value(b []byte) (float32, error) {
	v := t.float(b)
	f := float32(v)
	if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) {
		return f, fmt.Errorf("%g is beyond float32", v)
	}
	return f, nil
}

// Count reads an integer from its bytes; it must fit into 32 bits.
func (t Type) Count(b []byte) (int32, error) {
	v := t.whole(b)
	if v != int64(int32(v)) {
		return 0, fmt.Errorf("%d is beyond 32 bits", v)
	}
	return int32(v), nil
}

// half is an IEEE 754 binary16 number: 1 bit of sign, 5 of exponent, 10 of fraction.
func half(h uint16) float64 {
	sign, exponent, fraction := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// bfloat16 is the upper half of a float32.
func bfloat16(b uint16) float64 { return float64(math.Float32frombits(uint32(b) << 16)) }
