//go:build unix

package main

import (
	"os"
	"syscall"
)

// stopSignals ask for a checkpoint and the end. SIGUSR1 is what mpirun and Slurm can send
// without killing soon after.
func stopSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1} }
