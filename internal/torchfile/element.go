package torchfile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// element is a type of numbers in a storage.
type element struct {
	name  string
	size  int64
	float func(b []byte) float64 // nil for integers
	whole func(b []byte) int64
}

// elements by the name of their storage class in module torch.
var elements = map[string]element{
	"FloatStorage":    {"float32", 4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }, nil},
	"DoubleStorage":   {"float64", 8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }, nil},
	"HalfStorage":     {"float16", 2, func(b []byte) float64 { return half(binary.LittleEndian.Uint16(b)) }, nil},
	"BFloat16Storage": {"bfloat16", 2, func(b []byte) float64 { return bfloat16(binary.LittleEndian.Uint16(b)) }, nil},
	"LongStorage":     {"int64", 8, nil, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }},
	"IntStorage":      {"int32", 4, nil, func(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }},
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

// narrow returns a value as float32; a finite number must stay finite.
func narrow(v float64) (float32, error) {
	f := float32(v)
	if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) {
		return f, fmt.Errorf("%g is beyond float32", v)
	}
	return f, nil
}

// whole32 returns an integer as int32.
func whole32(v int64) (int32, error) {
	if v != int64(int32(v)) {
		return 0, fmt.Errorf("%d is beyond 32 bits", v)
	}
	return int32(v), nil
}
