//go:build !amd64

package asm

func winoWideFor(ISA) *Wino { return nil }
