package sysmem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// HugePages asks the system for pages of 2 MiB where x, not yet written to, covers whole ones: writing to so
// much memory for the first time is then not a fault every 4 KiB. It is advice, so an error changes nothing.
func HugePages(x []float32) {
	const page = 2 << 20
	base := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	skip := int(-base&(page-1)) / 4
	if n := (len(x) - skip) * 4 &^ (page - 1); n > 0 {
		_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&x[skip])), n), unix.MADV_HUGEPAGE)
	}
}
