package launch

import (
	"os"
	"syscall"
	"time"
)

// lostCode is the exit code of a rank whose launcher is gone, that of a lost device: to be restarted.
const lostCode = 69

// tellGrace is how long telling may take that the launcher is gone: perhaps nobody reads any more.
const tellGrace = 2 * time.Second

// Watch looks every so often whether the launcher, the parent of the process, is still there, and ends the process when
// it is not, once tell has said so: some launchers leave ranks behind that would compute for nobody.
func Watch(parent int, every time.Duration, tell func()) {
	for os.Getppid() == parent {
		time.Sleep(every)
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		tell()
	}()
	select {
	case <-told:
	case <-time.After(tellGrace):
	}
	syscall.Exit(lostCode)
}
