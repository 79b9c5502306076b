package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"jem/comm"
	"jem/config/settings"
	"jem/internal/checkpoint"
	"jem/internal/claim"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/internal/rundir"
	"jem/serve/batch"
	"jem/train"
	"jem/train/gauges"
)

// The exit codes, a contract with schedulers: restart on 69 and 75, don't on the others.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitData     = 65
	exitDevice   = 69
	exitBug      = 70
	exitBusy     = 73
	exitIO       = 74
	exitStopped  = 75
	exitDiverged = 76
	exitConfig   = 78
)

var exitMeanings = []struct {
	code    int
	meaning string
}{
	{exitDone, "done"},
	{exitFailed, "a self-test or comparison failed"},
	{exitUsage, "usage: unknown command or flag"},
	{exitData, "bad or missing input data"},
	{exitDevice, "device or another rank lost"},
	{exitBug, "a bug of jem, or ranks that no longer agree"},
	{exitBusy, "folder in use, with a run or other things in it, or among the pictures read"},
	{exitIO, "input/output error: disk full, a port in use and results without a reader included"},
	{exitStopped, "stopped by a signal, checkpoint saved"},
	{exitDiverged, "training diverged more often than guard.budget allows"},
	{exitConfig, "configuration error"},
}

func exitHelp() string {
	var b strings.Builder
	for _, m := range exitMeanings {
		fmt.Fprintf(&b, "   %-3d %s\n", m.code, m.meaning)
	}
	return b.String()
}

// errFailed is a comparison that came out wrong; what it showed has been printed.
var errFailed = errors.New("failed")

// stoppedError ends work that can go on.
type stoppedError struct {
	where, remedy string
	err           error
}

func (e *stoppedError) Error() string { return e.where + "; " + e.remedy }

func (e *stoppedError) Unwrap() error { return e.err }

// exitCode is the process's exit code for the error a command returned. Input/output
// comes before a signal: a checkpoint that could not be saved is not "saved".
func exitCode(err error) int {
	var (
		usage    *usageError
		config   *settings.Error
		diverged *train.DivergedError
		damaged  *checkpoint.CorruptError
		locked   *rundir.LockedError
		address  *gauges.AddressError
		path     *fs.PathError
		link     *os.LinkError
		errno    syscall.Errno
		peer     *comm.PeerError
		setup    *comm.SetupError
		replicas *train.ReplicasError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &peer): // before what it may have led to
		return exitDevice
	case errors.As(err, &replicas):
		return exitBug
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.Is(err, batch.ErrBroken): // answers were given before, so it isn't the configuration
		if panicked := (*batch.PanicError)(nil); errors.As(err, &panicked) && deviceExit(err) == 0 {
			return exitBug
		}
		return exitDevice
	case deviceExit(err) != 0:
		return deviceExit(err)
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &config), errors.As(err, &setup):
		return exitConfig
	case errors.As(err, &diverged):
		return exitDiverged
	case errors.Is(err, fault.ErrBad), errors.Is(err, fault.ErrMissing), errors.Is(err, metrics.ErrInput), errors.Is(err, checkpoint.ErrNone), errors.As(err, &damaged):
		return exitData
	case errors.Is(err, rundir.ErrExists), errors.Is(err, claim.ErrRefused), errors.As(err, &locked):
		return exitBusy
	case errors.Is(err, data.ErrFetch), errors.As(err, &address), errors.As(err, &path), errors.As(err, &link), errors.As(err, &errno):
		return exitIO
	case errors.Is(err, context.Canceled):
		return exitStopped
	}
	return exitBug
}

// maxFaults bounds the list of faults that is printed: a wrong file may have thousands.
const maxFaults = 20

// message is what is printed about an error: one sentence, or a list of faults or of servers
// that failed. Names of files may hold anything; nothing of it reaches the terminal as a
// control character.
func message(err error) string {
	var config *settings.Error
	if errors.As(err, &config) && len(config.Faults) > 1 {
		lines := strings.Split(config.Error(), "\n")
		if more := len(lines) - maxFaults; more > 0 {
			lines = append(lines[:maxFaults], fmt.Sprintf("and %d more", more))
		}
		for i, line := range lines {
			lines[i] = escape(line)
		}
		return fmt.Sprintf("jem: %d faults in the configuration:\n  %s", len(config.Faults), strings.Join(lines, "\n  "))
	}
	var stopped *stoppedError
	if errors.Is(err, context.Canceled) && exitCode(err) == exitStopped && !errors.As(err, &stopped) {
		return "jem: stopped"
	}
	lines, separator := strings.Split(err.Error(), "\n"), "; "
	var unreadable *data.Unreadable
	switch {
	case errors.Is(err, data.ErrFetch):
		separator = "\n"
	case errors.As(err, &unreadable):
		separator = "\n  "
	}
	for i, line := range lines {
		lines[i] = escape(line)
	}
	return "jem: " + strings.Join(lines, separator)
}

// escape writes control characters and broken UTF-8 as Go does between quotes.
func escape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch _, size := utf8.DecodeRuneInString(text[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
