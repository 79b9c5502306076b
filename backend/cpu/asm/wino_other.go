//go:build !amd64

package asm

func winoFor(ISA) *Wino { return nil }
