package experiments

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"jem/backend/trace"
	"jem/config"
)

// An estimate counts a forward pass and two gradients of every part of the batch, and for each SGLD step
// two passes of the chains, as slowly as the gauge's.
func TestEstimatesFollowTheWork(t *testing.T) {
	r := &rates{speed: 1e9}
	for name, want := range map[string]float64{
		"cifar10":          3*3 + 2*20, // x⁺, x⁻ and labelled images
		"cifar10-baseline": 3,
		"cifar10-small":    3*2 + 2*5, // labelled images are x⁺
	} {
		c, err := config.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.estimate(&Lab{}, trace.New(), c)
		if err != nil {
			t.Fatal(err)
		}
		if passes := got.seconds(c) * 1e9 / forwardWork(c) / float64(c.Train.Batch); math.Abs(passes-want) > 1e-9 { // rounding
			t.Errorf("%s: %g forward passes, want %g", name, passes, want)
		}
	}
}

func TestABusyMachineIsToldOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loadavg")
	for text, want := range map[string]float64{"14.03 12.92 8.42 11/1007 36083\n": 14.03, "": 0, "no number": 0} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := loadOf(path); got != want {
			t.Errorf("%q is a load of %g, want %g", text, got, want)
		}
	}
	if loadOf(path+"x") != 0 {
		t.Error("a load from no file")
	}
	said := 0
	l, r := &Lab{Options: Options{Tell: func(string) { said++ }}}, &rates{}
	r.warn(l)
	r.warn(l)
	if said > 1 {
		t.Errorf("said %d times", said)
	}
}
