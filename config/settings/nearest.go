package settings

import (
	"math"
	"strings"
)

// DidYouMean is a question naming the candidates that look most like name: one, or up to
// three that tie; empty without candidates. Names are compared whole and by their last
// dotted part, so that batch finds train.batch.
func DidYouMean(name string, candidates []string) string {
	found, _ := nearest(name, candidates)
	if len(found) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(found, " or ") + "?"
}

// Suggest is DidYouMean after ": ", and empty where nothing looks much like name.
func Suggest(name string, candidates []string) string {
	if _, d := nearest(name, candidates); d > (len(name)+1)/3 {
		return ""
	}
	return ": " + DidYouMean(name, candidates)
}

// maxName bounds what is compared: the effort grows with the square of the length.
const maxName = 64

// nearest returns up to three candidates at the least distance from name, and the distance.
func nearest(name string, candidates []string) (found []string, best int) {
	best = math.MaxInt
	name = name[:min(len(name), maxName)]
	for _, c := range candidates {
		d := min(distance(name, c), distance(last(name), last(c))+1)
		switch {
		case d < best:
			best, found = d, []string{c}
		case d == best && len(found) < 3:
			found = append(found, c)
		}
	}
	return found, best
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// distance counts the insertions, deletions, substitutions and swaps of neighbours that
// turn a into b (optimal string alignment), over bytes.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row := rows[(i+1)%3], rows[(i+2)%3], rows[i%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
