package asm

import (
	"fmt"
	"reflect"
	"testing"
	"unsafe"
)

// kernelsOf lists an instruction set's kernels that take arguments by pointer.
func kernelsOf(isa ISA) map[string]any {
	kernels := map[string]any{}
	var add func(name string, v reflect.Value)
	add = func(name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				add(name+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case reflect.Array:
			for i := range v.Len() {
				add(fmt.Sprintf("%s[%d]", name, i), v.Index(i))
			}
		case reflect.Func:
			if !v.IsNil() {
				// Fields that aren't exported can be called by their address alone.
				kernels[name] = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem().Interface()
			}
		}
	}
	tables := map[string]any{"conv": ConvFor(isa), "wino": WinoFor(isa), "wide": WinoWideFor(isa)}
	if isa == Generic || BF16(isa) {
		tables["bf16"] = WinoBF16For(isa)
	}
	for name, table := range tables {
		add(name, reflect.ValueOf(table).Elem())
	}
	return kernels
}

// counts are the numbers of things in arguments; all other numbers are strides.
var counts = map[string]int{
	"Tiles": 3, "Blocks": 2, "Groups": 2, "Rows": 3, "Cols": 5, "Channels": 3, "Products": 3, "Inner": 16,
	"NumOffs": 3, "Pixels": 8, "Eights": 18, "First": 1, "MovedX": 0, "MovedV": 0,
	"Next": 0, "NextStep": 0, "Dest": 0, "DestStep": 0,
}

// TestKernelsLeavePointers of their arguments where they are: one that leaves its memory, when a kernel has
// come to the end, is one that the collector stumbles over.
func TestKernelsLeavePointers(t *testing.T) {
	const stride, size = 1024, 1 << 18 // bytes, floats: more than any kernel goes
	offs := make([]int, WinoWidePoints)
	onEachISA(t, func(t *testing.T, isa ISA) {
		for name, kernel := range kernelsOf(isa) {
			call := reflect.ValueOf(kernel)
			args := reflect.New(call.Type().In(0).Elem())
			var pointers []*unsafe.Pointer
			for i := range args.Elem().NumField() {
				field, is := args.Elem().Field(i), args.Elem().Type().Field(i).Name
				count, counted := counts[is]
				switch {
				case is == "Offs":
					field.SetPointer(unsafe.Pointer(&offs[0]))
				case field.Kind() == reflect.UnsafePointer:
					field.SetPointer(pointer(alignedFloats(size), 0))
				case field.Kind() == reflect.Float32:
					field.SetFloat(0.25)
				case field.Kind() == reflect.Uintptr:
				case counted:
					field.SetInt(int64(count))
				default:
					field.SetInt(stride)
				}
				if field.Kind() == reflect.UnsafePointer {
					pointers = append(pointers, (*unsafe.Pointer)(field.Addr().UnsafePointer()))
				}
			}
			var before []unsafe.Pointer
			for _, p := range pointers {
				before = append(before, *p)
			}
			call.Call([]reflect.Value{args})
			for i, p := range pointers {
				if *p != before[i] {
					t.Errorf("%s: %T: pointer %d has moved by %d bytes", name, args.Interface(), i, uintptr(*p)-uintptr(before[i]))
				}
			}
		}
	})
}

// alignedFloats are n floats that begin at a multiple of 64 bytes.
func alignedFloats(n int) []float32 {
	v := make([]float32, n+16)
	return v[-uintptr(unsafe.Pointer(&v[0]))%64/4:][:n]
}
