package main

import (
	"bytes"
	"testing"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// TestEVEX compares with what binutils' assembler writes:
//
//	echo 'vdpbf16ps %zmm31,%zmm18,%zmm9' | as -o t.o - && objdump -d t.o
//
// for memory as in '{disp32} vdpbf16ps 132(%r12){1to16},%zmm18,%zmm9'. Between them the
// cases set and clear each bit of each register's number.
func TestEVEX(t *testing.T) {
	at := func(base reg.Register, disp int) operand.Op { return operand.Mem{Base: base, Disp: disp} }
	for _, c := range []struct {
		name     string
		operands []operand.Op // in the order of binutils, which is Go's
		want     []byte
	}{
		{"VDPBF16PS", []operand.Op{reg.Z3, reg.Z2, reg.Z1}, []byte{0x62, 0xf2, 0x6e, 0x48, 0x52, 0xcb}},
		{"VDPBF16PS", []operand.Op{reg.Z31, reg.Z18, reg.Z9}, []byte{0x62, 0x12, 0x6e, 0x40, 0x52, 0xcf}},
		{"VDPBF16PS", []operand.Op{reg.Z12, reg.Z31, reg.Z24}, []byte{0x62, 0x42, 0x06, 0x40, 0x52, 0xc4}},
		{"VDPBF16PS", []operand.Op{at(reg.R12, 132), reg.Z18, reg.Z9}, []byte{0x62, 0x52, 0x6e, 0x50, 0x52, 0x8c, 0x24, 0x84, 0, 0, 0}},
		{"VDPBF16PS", []operand.Op{at(reg.R13, -4), reg.Z3, reg.Z24}, []byte{0x62, 0x42, 0x66, 0x58, 0x52, 0x85, 0xfc, 0xff, 0xff, 0xff}},
		{"VDPBF16PS", []operand.Op{at(reg.RAX, 0), reg.Z31, reg.Z17}, []byte{0x62, 0xe2, 0x06, 0x50, 0x52, 0x88, 0, 0, 0, 0}},
		{"VCVTNEPS2BF16", []operand.Op{reg.Z2, reg.Y1}, []byte{0x62, 0xf2, 0x7e, 0x48, 0x72, 0xca}},
		{"VCVTNEPS2BF16", []operand.Op{reg.Z29, reg.Y20}, []byte{0x62, 0x82, 0x7e, 0x48, 0x72, 0xe5}},
		{"VCVTNEPS2BF16", []operand.Op{reg.Z11, reg.Y27}, []byte{0x62, 0x42, 0x7e, 0x48, 0x72, 0xdb}},
		{"VCVTNE2PS2BF16", []operand.Op{reg.Z3, reg.Z2, reg.Z1}, []byte{0x62, 0xf2, 0x6f, 0x48, 0x72, 0xcb}},
		{"VCVTNE2PS2BF16", []operand.Op{reg.Z31, reg.Z18, reg.Z9}, []byte{0x62, 0x12, 0x6f, 0x40, 0x72, 0xcf}},
	} {
		if got, err := evex(c.name, c.operands); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s %v: % x, %v, want % x", c.name, c.operands, got, err, c.want)
		}
	}
}
