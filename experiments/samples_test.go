package experiments

import (
	"slices"
	"testing"

	"jem/predict"
)

func TestGridsShowTheClassesSeenMost(t *testing.T) {
	const classes = maxRows + 2
	names := make([]string, classes)
	s := &predict.Samples{Channels: 1, Size: 1}
	for y := range classes {
		names[y] = string(rune('a' + y))
		seen := 2
		switch y {
		case 3:
			seen = 0
		case 7:
			seen = 1
		}
		for range seen {
			s.Class = append(s.Class, y)
			s.Images = append(s.Images, float32(y))
		}
	}
	shown, rows := ofMost(s, names)
	if len(rows) != maxRows || slices.Contains(rows, names[3]) || slices.Contains(rows, names[7]) {
		t.Errorf("rows %v", rows)
	}
	for i, row := range shown.Class {
		if want := names[int(shown.Images[i])]; rows[row] != want {
			t.Errorf("an image of class %s is in the row of %s", want, rows[row])
		}
	}
	if len(shown.Class) != 2*maxRows {
		t.Errorf("%d images, want %d", len(shown.Class), 2*maxRows)
	}
}
