//go:build !amd64

package asm

func convFor(ISA) *Conv { return nil }
