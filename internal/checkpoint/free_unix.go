//go:build linux || darwin

package checkpoint

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// free says how much room the file system of a folder has left.
func free(dir string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return fmt.Sprintf("free space unknown (%v)", err)
	}
	return fmt.Sprintf("%d free", s.Bavail*uint64(s.Bsize))
}
