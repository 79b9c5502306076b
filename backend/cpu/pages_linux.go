package cpu

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePages asks the system for pages of 2 MiB where x covers whole ones: a network has more pages of
// 4 KiB than a processor's tables of translations hold, and in a virtual machine looking one up takes
// dozens of reads. It is advice, so an error changes nothing.
func hugePages(x []float32) {
	const page = 2 << 20
	base := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	skip := int(-base&(page-1)) / 4
	if n := (len(x) - skip) * 4 &^ (page - 1); n > 0 {
		_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&x[skip])), n), unix.MADV_HUGEPAGE)
	}
}
