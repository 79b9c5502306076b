package main

import "testing"

// TestEVEX compares with what binutils' assembler writes:
//
//	echo 'vdpbf16ps %zmm31,%zmm18,%zmm9' | as -o t.o - && objdump -d t.o
//
// Between them the cases set and clear each bit of each register's number.
func TestEVEX(t *testing.T) {
	for _, c := range []struct {
		name      string
		registers []byte // in the order of binutils, which is Go's
		want      [6]byte
	}{
		{"VDPBF16PS", []byte{3, 2, 1}, [6]byte{0x62, 0xf2, 0x6e, 0x48, 0x52, 0xcb}},
		{"VDPBF16PS", []byte{31, 18, 9}, [6]byte{0x62, 0x12, 0x6e, 0x40, 0x52, 0xcf}},
		{"VDPBF16PS", []byte{12, 31, 24}, [6]byte{0x62, 0x42, 0x06, 0x40, 0x52, 0xc4}},
		{"VCVTNEPS2BF16", []byte{2, 1}, [6]byte{0x62, 0xf2, 0x7e, 0x48, 0x72, 0xca}},
		{"VCVTNEPS2BF16", []byte{29, 20}, [6]byte{0x62, 0x82, 0x7e, 0x48, 0x72, 0xe5}},
		{"VCVTNEPS2BF16", []byte{11, 27}, [6]byte{0x62, 0x42, 0x7e, 0x48, 0x72, 0xdb}},
		{"VCVTNE2PS2BF16", []byte{3, 2, 1}, [6]byte{0x62, 0xf2, 0x6f, 0x48, 0x72, 0xcb}},
		{"VCVTNE2PS2BF16", []byte{31, 18, 9}, [6]byte{0x62, 0x12, 0x6f, 0x40, 0x72, 0xcf}},
	} {
		if got := evex(c.name, c.registers); got != c.want {
			t.Errorf("%s %v: % x, want % x", c.name, c.registers, got, c.want)
		}
	}
}
