package cpu

import (
	"os"
	"syscall"
	"unsafe"
)

// hugePages asks the system for pages of 2 MiB where x covers whole ones: with pages of 4 KiB the
// memory of a network has more of them than a processor's tables of translations hold. It is
// advice, so an error changes nothing.
func hugePages(x []float32) {
	const page = 2 << 20
	from := (uintptr(unsafe.Pointer(unsafe.SliceData(x))) + page - 1) &^ (page - 1)
	lo := int(from-uintptr(unsafe.Pointer(unsafe.SliceData(x)))) / 4
	n := (len(x) - lo) * 4 &^ (page - 1)
	if n <= 0 || os.Getenv("NOHUGE") == "1" {
		return
	}
	syscall.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&x[lo])), n), 14)
}
