package attack

import (
	"math"
	"testing"

	"jem/internal/philox"
)

// linear is a classifier of two classes with logits (w·x, 0). An image of class 0 with
// w·x = m is broken by a change as large as m/‖w‖₁ in L∞ and m/‖w‖₂ in L2, and by no smaller.
type linear struct{ w []float32 }

func (linear) Classes() int { return 2 }

func (l linear) Logits(images []float32, n int, _ philox.Key) ([]float32, error) {
	logits := make([]float32, 2*n)
	for i := range n {
		for k, w := range l.w {
			logits[2*i] += w * images[i*len(l.w)+k]
		}
	}
	return logits, nil
}

func (l linear) Gradient(dx, images []float32, labels []int32, key philox.Key) ([]float32, error) {
	logits, err := l.Logits(images, len(labels), key)
	for i, y := range labels {
		p := 1 / (1 + float32(math.Exp(-float64(logits[2*i]))))
		for k, w := range l.w {
			dx[i*len(l.w)+k] = w * (p - float32(1-y))
		}
	}
	return logits, err
}

var (
	key = philox.New(1, 0, philox.Test)
	// ‖w‖₁ = 7, ‖w‖₂ = 5
	twoPixels = linear{[]float32{3, -4}}
)

// The margins are 0.7, 1.4 and 2.1 by L∞ of 0.1, 0.2, 0.3, by L2 of 0.14, 0.28, 0.42. Steps of half
// the radius cross the ball in 4; each of the 21 others shrinks what an L2 change is off the
// gradient's direction to 2/3, so to 2e−4 of the radius: 1 % is enough.
func TestPGDBreaksWhatCanBeBroken(t *testing.T) {
	images := []float32{0.7 / 3, 0, 1.4 / 3, 0, 2.1 / 3, 0}
	for _, tc := range []struct {
		norm   Norm
		radius float64
		want   [3]bool
	}{
		{LInf, 0.099, [3]bool{}}, {LInf, 0.101, [3]bool{true}}, {LInf, 0.205, [3]bool{true, true}}, {LInf, 0.305, [3]bool{true, true, true}},
		{L2, 0.139, [3]bool{}}, {L2, 0.1415, [3]bool{true}}, {L2, 0.283, [3]bool{true, true}}, {L2, 0.425, [3]bool{true, true, true}},
	} {
		r, err := PGD{Norm: tc.norm, Radius: tc.radius, Steps: 25, StepSize: tc.radius / 2, Restarts: 2}.Run(twoPixels, images, make([]int32, 3), key)
		if err != nil {
			t.Fatal(err)
		}
		if [3]bool(r.Broken) != tc.want {
			t.Errorf("%s %g: got %v, want %v", tc.norm, tc.radius, r.Broken, tc.want)
		}
		inBall(t, tc.norm, tc.radius, r.Images, images)
	}
}

// inBall allows a change 1e−6 more than the radius: float32 pixels up to 1 are rounded to 6e−8.
func inBall(t *testing.T, norm Norm, radius float64, got, clean []float32) {
	t.Helper()
	for i := 0; i < len(got); i += 2 {
		change := []float32{got[i] - clean[i], got[i+1] - clean[i+1]}
		size := length(change)
		if norm == LInf {
			size = math.Max(math.Abs(float64(change[0])), math.Abs(float64(change[1])))
		}
		if size > radius+1e-6 || math.Abs(float64(got[i])) > 1 || math.Abs(float64(got[i+1])) > 1 {
			t.Errorf("%s %g: image %d was moved by %g to %v", norm, radius, i/2, size, got[i:i+2])
		}
	}
}

// At the border of the range of pixels only one direction is left: w·x = 3 − 4·(−1) = 7 can
// fall by 7·ε inwards.
func TestPixelsStayInRange(t *testing.T) {
	clean := []float32{1, -1}
	r, err := PGD{Norm: LInf, Radius: 0.5, Steps: 20, Restarts: 1}.Run(twoPixels, clean, []int32{0}, key)
	if err != nil || r.Broken[0] || r.Queries != 20 {
		t.Fatalf("got %+v, %v", r, err)
	}
	inBall(t, LInf, 0.5, r.Images, clean)
	up, err := PGD{Norm: LInf, Radius: 0.5, Steps: 20, Restarts: 1}.Run(twoPixels, clean, []int32{1}, key) // the gradient points outwards
	if err != nil || !up.Broken[0] {
		t.Fatalf("got %+v, %v", up, err)
	}
	inBall(t, LInf, 0.5, up.Images, clean)
}

// The second image has label 1 and is answered wrongly without an attack.
func TestCurve(t *testing.T) {
	images := []float32{0.7 / 3, 0, 0.1, 0, 2.1 / 3, 0}
	points, err := Curve(twoPixels, PGD{Norm: LInf, Steps: 25, Restarts: 1}, []float64{0.05, 0.11, 0.31, 0.5}, images, []int32{0, 1, 0}, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Point{{0, 2.0 / 3, 1, 0}, {0.05, 2.0 / 3, 0, 0}, {0.11, 1.0 / 3, 1, 1}, {0.31, 0, 1, 1}, {0.5, 0, 0, 0}}
	for i, p := range points {
		if p != want[i] {
			t.Errorf("got %+v, want %+v", p, want[i])
		}
	}
}

func TestWrongAttacksAreRefused(t *testing.T) {
	for _, a := range []PGD{{Norm: "l3"}, {Norm: L2, Radius: -1}, {Norm: L2, Radius: math.NaN()}, {Norm: L2, Steps: -1}} {
		if _, err := a.Run(twoPixels, []float32{0, 0}, []int32{0}, key); err == nil {
			t.Errorf("%+v was accepted", a)
		}
	}
	if _, err := (PGD{Norm: L2}).Run(twoPixels, []float32{0, 0}, []int32{2}, key); err == nil {
		t.Error("a label beyond the classes was accepted")
	}
	if _, err := Curve(twoPixels, PGD{Norm: L2}, []float64{2, 1}, []float32{0, 0}, []int32{0}, key, nil); err == nil {
		t.Error("descending radii were accepted")
	}
}

// From (0,0) each step of 0.05 along −w/5 for class 1 lowers w·x by 0.25. p = 1/(1+exp(w·x))
// passes 0.9 at w·x = −log 9 = −2.197, after 9 steps (−2.25).
func TestDistal(t *testing.T) {
	x := []float32{0, 0, -0.5, 0.5}
	r, err := Distal{StepSize: 0.05, Steps: 30, Confidence: 0.9}.Run(twoPixels, x, []int32{1, 1}, key)
	if err != nil {
		t.Fatal(err)
	}
	if r.Steps[0] != 9 || r.Steps[1] != 0 || math.Abs(r.Confidence[0]-1/(1+math.Exp(-2.25))) > 1e-5 || x[2] != -0.5 {
		t.Errorf("got %+v and %v", r, x)
	}
	if r, err = (Distal{StepSize: 0.05, Steps: 2, Confidence: 0.9}).Run(twoPixels, make([]float32, 2), []int32{1}, key); err != nil || r.Steps[0] != 2 || r.Confidence[0] >= 0.9 {
		t.Errorf("out of steps: got %+v, %v", r, err)
	}
	if _, err := (Distal{StepSize: 1, Confidence: 1}).Run(twoPixels, x, []int32{1, 1}, key); err == nil {
		t.Error("confidence 1 was accepted")
	}
}
