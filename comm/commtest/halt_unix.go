//go:build unix

package commtest

import (
	"fmt"
	"os"
	"syscall"
)

// Halt is the end of a rank by a signal that can't be caught. It returns only where none could be sent: a process of several
// threads goes on for a moment after it has sent itself one, far enough to come to the next round.
func Halt(s syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		return fmt.Errorf("halt by %v: %w", s, err)
	}
	select {}
}
