//go:build unix

package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// stopSignals ask for a checkpoint and the end. SIGUSR1 is what mpirun and Slurm can send
// without killing soon after, SIGUSR2 and SIGXCPU what other batch systems and a limit on CPU
// time do, SIGHUP what a terminal or an ssh connection leaves behind, SIGQUIT Ctrl-\. Those
// that are ignored stay so: nohup asks that a closed terminal be no reason to stop, a shell
// script's "&" that Ctrl-C be none.
func stopSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGXCPU, syscall.SIGHUP, syscall.SIGQUIT}
	return slices.DeleteFunc(all, signal.Ignored)
}

// survive keeps two signals from ending the process for as long as it lasts: SIGPIPE, so that a
// write to a reader who is gone is an error like others; and SIGHUP, which the system and the
// shell both send when a terminal closes, so that the second is no impatient user.
func survive() {
	signals := []os.Signal{syscall.SIGPIPE, syscall.SIGHUP}
	signal.Notify(make(chan os.Signal, 1), slices.DeleteFunc(signals, signal.Ignored)...)
}
