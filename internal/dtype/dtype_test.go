package dtype

import (
	"math"
	"testing"
)

func TestValues(t *testing.T) {
	for _, c := range []struct {
		t    Type
		b    []byte
		want float64
	}{
		{Float32, []byte{0, 0, 0x20, 0xc1}, -10},
		{Float64, []byte{0, 0, 0, 0, 0, 0, 0xe0, 0x3f}, 0.5},
		{Float16, []byte{0, 0x3c}, 1},
		{Float16, []byte{1, 0x80}, -1.0 / (1 << 24)}, // the smallest subnormal
		{Float16, []byte{0xff, 0x7b}, 65504},
		{Float16, []byte{0, 0x7c}, math.Inf(1)},
		{Float16, []byte{0, 0xfc}, math.Inf(-1)},
		{Float16, []byte{1, 0x7c}, math.NaN()},
		{BFloat16, []byte{0x80, 0x3f}, 1},
		{BFloat16, []byte{0xc0, 0x7f}, math.NaN()},
	} {
		got, err := c.t.Value(c.b)
		if same := float64(got) == c.want || got != got && math.IsNaN(c.want); !same || err != nil {
			t.Errorf("%s %x: got %g, %v, want %g", c.t.Name, c.b, got, err, c.want)
		}
	}
	if _, err := Float64.Value([]byte{0, 0, 0, 0, 0, 0, 0, 0x7f}); err == nil {
		t.Error("a number beyond float32 was accepted")
	}
	if v, err := Float64.Value([]byte{0, 0, 0, 0, 0, 0, 0xf0, 0x7f}); err != nil || !math.IsInf(float64(v), 1) {
		t.Errorf("infinity: got %g, %v", v, err)
	}
}

func TestCounts(t *testing.T) {
	if v, err := Int64.Count([]byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}); v != -2 || err != nil {
		t.Errorf("got %d, %v, want -2", v, err)
	}
	if v, err := Int32.Count([]byte{3, 0, 0, 0}); v != 3 || err != nil {
		t.Errorf("got %d, %v, want 3", v, err)
	}
	if _, err := Int64.Count([]byte{0, 0, 0, 0x80, 0, 0, 0, 0}); err == nil {
		t.Error("2³¹ was accepted as an int32")
	}
}
