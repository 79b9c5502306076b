package kernels

import (
	"fmt"
	"strings"
)

// Type is the type of a kernel's argument.
type Type uint8

// The types. Pointers are device addresses of eight bytes.
const (
	Pointer Type = iota
	I32
	I64
	U32
	U64
	F32
)

// Arg is one argument of a kernel.
type Arg struct {
	Name     string
	Type     Type
	Elem     string // of a pointer: f32, bf16, i32, key; T in a family that is Stored
	Writes   bool   // the kernel writes through the pointer (and may read)
	Optional bool   // the pointer may be 0
}

// Family is a kernel, or the two kernels that differ in the storage of images.
type Family struct {
	Name      string
	Stored    bool   // exists as Name_f32 and Name_bf16
	Signature string // arguments in order; see Args
	Rule      Rule   // launch geometry
	Sizes     string // what Rule takes
	Computes  string // formula
}

// Kernel is one exported function of the fatbin.
type Kernel struct {
	Name string
	Args []Arg
	Family
}

// Kernels of one Family, float32 first.
func (f Family) kernels() []Kernel {
	if !f.Stored {
		return []Kernel{{f.Name, arguments(f.Signature, "f32"), f}}
	}
	return []Kernel{
		{f.Name + "_f32", arguments(f.Signature, "f32"), f},
		{f.Name + "_bf16", arguments(f.Signature, "bf16"), f},
	}
}

// All lists every exported kernel.
func All() []Kernel {
	var all []Kernel
	for _, f := range Families() {
		all = append(all, f.kernels()...)
	}
	return all
}

// arguments reads a signature such as "out T y, in T? x, i64 n, f32 a": in and out are
// pointers to read and to write, ? marks one that may be 0, T is the storage.
func arguments(signature, storage string) []Arg {
	var args []Arg
	for part := range strings.SplitSeq(signature, ", ") {
		w := strings.Fields(part)
		a := Arg{Name: w[len(w)-1]}
		if len(w) == 2 {
			a.Type = scalars()[w[0]]
		} else {
			a.Elem, a.Optional = strings.CutSuffix(w[1], "?")
			a.Elem = strings.Replace(a.Elem, "T", storage, 1)
			a.Writes = w[0] == "out"
		}
		args = append(args, a)
	}
	return args
}

func scalars() map[string]Type {
	return map[string]Type{"i32": I32, "i64": I64, "u32": U32, "u64": U64, "f32": F32}
}

// Pack appends the arguments as words of eight bytes in the kernel's order, each in the
// low bytes of its word as the driver reads them. Pointers are uintptr or uint64. It panics, as for any caller's bug,
// where number, type or a forbidden 0 pointer does not fit.
func (k Kernel) Pack(words []uint64, args ...any) []uint64 {
	if len(args) != len(k.Args) {
		panic(fmt.Sprintf("kernels: %s: %d arguments, want %d: %s", k.Name, len(args), len(k.Args), k.Signature))
	}
	for i, a := range args {
		w, ok := word(a, k.Args[i])
		if !ok {
			panic(fmt.Sprintf("kernels: %s: argument %s is %v (%T): %s", k.Name, k.Args[i].Name, a, a, k.Signature))
		}
		words = append(words, w)
	}
	return words
}
