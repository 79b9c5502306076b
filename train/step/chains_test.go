package step

import (
	"math"
	"strings"
	"testing"

	"jem/config"
)

func TestWhereChainsStray(t *testing.T) {
	g := config.Default().Guard
	for name, tc := range map[string]struct {
		pixels []float32
		want   string
	}{
		"healthy":     {[]float32{0, 1, -1, 2}, ""},
		"saturated":   {[]float32{1, 1, -1, 2}, "guard.saturation"},
		"far":         {[]float32{0, 0, 101}, "guard.max_pixel"},
		"not numbers": {[]float32{0, float32(math.NaN())}, "a pixel of NaN"},
	} {
		if got := tallied(tc.pixels).strayed(g, "a chain"); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
