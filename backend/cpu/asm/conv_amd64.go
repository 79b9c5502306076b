package asm

func convFor(isa ISA) *Conv { return nil }
