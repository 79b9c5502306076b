package main

import (
	"encoding/binary"
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// bf16Instructions are those of AVX512_BF16 that kernels use, on 512-bit registers. Neither
// avo nor Go's assembler knows them, so they are written as bytes: EVEX.512.0F38.W0 with the
// prefix pp (2 is F3, 3 is F2).
var bf16Instructions = map[string]struct{ pp, opcode byte }{
	"VDPBF16PS":      {2, 0x52},
	"VCVTNEPS2BF16":  {2, 0x72},
	"VCVTNE2PS2BF16": {3, 0x72},
}

// dotPairs adds to each lane of acc the products of a pair of bf16 in a and in b. In memory, b
// is one pair for all lanes.
func dotPairs(b operand.Op, a, acc reg.VecVirtual) {
	bf16("VDPBF16PS", []operand.Op{b, a, acc}, acc)
}

// toBF16 rounds the lanes of r to the lower half of r.
func toBF16(r reg.VecVirtual) reg.Register {
	half := r.AsY()
	bf16("VCVTNEPS2BF16", []operand.Op{r, half})
	return half
}

// bothToBF16 rounds the lanes of low and high to the lower and upper half of a register.
func bothToBF16(low, high, to reg.VecVirtual) {
	bf16("VCVTNE2PS2BF16", []operand.Op{low, high, to})
}

// bf16 adds an instruction with operands in Go's order, the result last. What else it reads
// follows.
func bf16(name string, operands []operand.Op, also ...operand.Op) {
	last := len(operands) - 1
	Instruction(&ir.Instruction{
		Opcode: name, Operands: operands, ISA: []string{"AVX512BF16"},
		Inputs: append(append([]operand.Op{}, operands[:last]...), also...), Outputs: operands[last:],
	})
}

// encodeBF16 makes avo write the bytes of those instructions, once it has chosen registers.
func encodeBF16() {
	pass.Compile = pass.Concat(pass.Compile, pass.FunctionPass(func(f *ir.Function) error {
		var nodes []ir.Node
		for _, n := range f.Nodes {
			i, ok := n.(*ir.Instruction)
			if !ok {
				nodes = append(nodes, n)
				continue
			}
			if _, ok := bf16Instructions[i.Opcode]; !ok {
				nodes = append(nodes, n)
				continue
			}
			code, err := evex(i.Opcode, i.Operands)
			if err != nil {
				return err
			}
			var names []string
			for _, o := range i.Operands {
				names = append(names, o.Asm())
			}
			nodes = append(nodes, &ir.Comment{Lines: []string{i.Opcode + " " + strings.Join(names, ", ")}})
			nodes = append(nodes, data(code)...)
		}
		f.Nodes = nodes
		return nil
	}))
}

// data is code as the largest pieces that Go's assembler takes.
func data(code []byte) []ir.Node {
	var nodes []ir.Node
	piece := func(name string, o operand.Op, n int) {
		nodes, code = append(nodes, &ir.Instruction{Opcode: name, Operands: []operand.Op{o}}), code[n:]
	}
	for len(code) > 0 {
		switch {
		case len(code) >= 4:
			piece("LONG", operand.U32(binary.LittleEndian.Uint32(code)), 4)
		case len(code) >= 2:
			piece("WORD", operand.U16(binary.LittleEndian.Uint16(code)), 2)
		default:
			piece("BYTE", operand.U8(code[0]), 1)
		}
	}
	return nodes
}

// evex is the machine code of an instruction with two or three operands in Go's order:
// registers, but the first may be 32 bits of memory, for all lanes.
func evex(name string, operands []operand.Op) ([]byte, error) {
	i := bf16Instructions[name]
	numbers := make([]byte, len(operands))
	for n, o := range operands {
		m, memory := o.(operand.Mem)
		if memory && n == 0 && m.Index == nil && m.Symbol.Name == "" {
			o = m.Base
		}
		r, ok := o.(reg.Physical)
		if !ok {
			return nil, fmt.Errorf("%s: no code for operand %s", name, o.Asm())
		}
		numbers[n] = byte(r.PhysicalIndex())
	}
	rm, vvvv, to := numbers[0], byte(0), numbers[len(numbers)-1]
	if len(numbers) == 3 {
		vvvv = numbers[1]
	}
	// Bits of register numbers are inverted in the prefix.
	bit := func(r byte, n, to uint) byte { return (^r >> n & 1) << to }
	code := []byte{
		0x62,
		bit(to, 3, 7) | bit(rm, 4, 6) | bit(rm, 3, 5) | bit(to, 4, 4) | 2, // R X B R', map 0F38
		(^vvvv&15)<<3 | 4 | i.pp,
		2<<5 | bit(vvvv, 4, 3), // 512 bits, V', no mask
		i.opcode,
		0xC0 | to&7<<3 | rm&7,
	}
	m, memory := operands[0].(operand.Mem)
	if !memory {
		return code, nil
	}
	code[3] |= 1 << 4 // one number for all lanes
	code[5] ^= 0x40   // an address of base and 32 bits
	if rm&7 == 4 {
		code = append(code, 0x24) // a base of that number takes a byte more
	}
	return binary.LittleEndian.AppendUint32(code, uint32(m.Disp)), nil
}
