package layout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"jem/internal/fault"
	"jem/internal/imagefile"
)

// picture holds for the names of pictures.
func picture(name string) bool { return imagefile.Named(name) }

// unread are endings of pictures and arrays in formats that are not read. A class of nothing
// else was meant to be one.
var unread = []string{
	".ppm", ".pgm", ".svg", ".ico", ".psd", ".dng", ".dcm", ".npy", ".npz",
}

// hidden holds for names that begin with a dot: .DS_Store, .ipynb_checkpoints, and the ._NAME
// that macOS puts beside each file on foreign disks.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// left are folders that systems and programs leave behind, in lower case.
var left = []string{"__macosx", "lost+found", "$recycle.bin", "system volume information", "@eadir", "#recycle"}

// stray holds for the names of folders that nobody made. They may be unreadable.
func stray(name string) bool { return slices.Contains(left, strings.ToLower(name)) }

// Bounds on what a sentence lists: names, and bytes of each.
const (
	maxNamed = 5
	maxShown = 60
)

// list names the first few of many.
func list(names []string) string {
	var shown []string
	for _, n := range names[:min(len(names), maxNamed)] {
		if len(n) > maxShown {
			n = strings.ToValidUTF8(n[:maxShown], "") + "…"
		}
		shown = append(shown, fault.Printable(n))
	}
	all := strings.Join(shown, ", ")
	if more := len(names) - maxNamed; more > 0 {
		all += fmt.Sprintf(" and %d more", more)
	}
	return all
}

// endings says how many files of each ending there are, as "3 .txt, 1 .webp", the most
// frequent first; of none it is empty.
func endings(others map[string]int) string {
	order := slices.SortedFunc(maps.Keys(others), func(a, b string) int {
		if others[a] != others[b] {
			return others[b] - others[a]
		}
		return strings.Compare(a, b)
	})
	var counts []string
	for _, e := range order {
		name := e
		if e == "" {
			name = "without an ending"
		}
		counts = append(counts, fmt.Sprintf("%d %s", others[e], name))
	}
	return list(counts)
}
