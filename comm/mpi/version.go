package mpi

import (
	"strings"

	"jem/internal/fault"
)

// versionIn finds name and number in what a library says of itself: "Open MPI v4.1.4, package: …" or
// "MPICH Version:\t4.0.2\n…".
func versionIn(text string) string {
	line, _, _ := strings.Cut(strings.TrimRight(text, "\x00"), "\n")
	if rest, is := strings.CutPrefix(line, "Open MPI v"); is {
		number, _, _ := strings.Cut(rest, ",")
		return "Open MPI " + number
	}
	if name, number, is := strings.Cut(line, " Version:"); is {
		return strings.TrimSpace(name) + " " + strings.TrimSpace(number)
	}
	return fault.Short(strings.TrimSpace(line))
}
