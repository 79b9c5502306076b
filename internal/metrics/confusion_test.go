package metrics

import (
	"fmt"
	"testing"
)

func TestConfusionCountsByClass(t *testing.T) {
	c := NewConfusion(3)
	for _, answer := range [][2]int{{0, 0}, {0, 0}, {0, 2}, {1, 0}, {1, 0}, {1, 1}, {2, 1}} {
		c.Add(answer[0], answer[1])
	}
	if got := fmt.Sprint(c.Of, c.Right, c.Mixups()); got != "[3 3 1] [2 1 0] [{1 0 2} {0 2 1} {2 1 1}]" {
		t.Errorf("got %s", got)
	}
	if c.Images(1, 0) != 2 || c.Images(0, 0) != 2 || c.Images(2, 0) != 0 {
		t.Errorf("got %+v", c)
	}
}
