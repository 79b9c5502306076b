//go:build !amd64

package asm

func winoBF16For(ISA) *Wino { return nil }
