package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// numbers are the constants of a transform. With 32 registers each has one of its own. With
// 16 they stay in memory, which an instruction can read if its other factor is in a
// register, and come to registers for a part of the code only: between bring and leave.
type numbers struct {
	v       *vectors
	prefix  string // of their symbols
	brought bool
	inUse   []*number
}

type number struct {
	all *numbers
	at  Mem
	r   reg.VecVirtual // nil if in memory
}

func (n *numbers) number(f float64) *number {
	if n.v.masks {
		return &number{all: n, r: n.v.constant(n.prefix, f)}
	}
	bits := math.Float32bits(float32(f))
	at := GLOBL(fmt.Sprintf("%slanes%08x%s", n.prefix, bits, n.v.suffix), 8|16) // RODATA|NOPTR
	for i := range n.v.bytes / 4 {
		DATA(4*i, U32(bits))
	}
	return &number{all: n, at: at}
}

// bring makes numbers come to registers when they are used, until leave.
func (n *numbers) bring() { n.brought = true }

func (n *numbers) leave() {
	for _, c := range n.inUse {
		c.r = nil
	}
	n.brought, n.inUse = false, nil
}

// op is where the number is.
func (c *number) op() Op {
	switch n := c.all; {
	case c.r != nil:
		return c.r
	case n.brought:
		c.r, n.inUse = n.v.copy(c.at), append(n.inUse, c)
		return c.r
	}
	return c.at
}

// addProduct adds c·x to sum, subtractProduct subtracts it. One of c and x is in a register.
func addProduct(c *number, x Op, sum reg.VecVirtual) {
	a, b := registerLast(c.op(), x)
	VFMADD231PS(a, b, sum)
}

func subtractProduct(c *number, x Op, sum reg.VecVirtual) {
	a, b := registerLast(c.op(), x)
	VFNMADD231PS(a, b, sum)
}

func registerLast(a, b Op) (Op, Op) {
	if _, ok := b.(Mem); ok {
		return b, a
	}
	return a, b
}
