package attack

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"jem/backend/philox"
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

func (l linear) Gradient(dx, images []float32, loss Loss, labels []int32, key philox.Key) ([]float32, error) {
	logits, err := l.Logits(images, len(labels), key)
	var d [2]float32
	for i, y := range labels {
		loss.Grad(d[:], logits[2*i:2*i+2], y)
		for k, w := range l.w {
			dx[i*len(l.w)+k] = w * d[0]
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
		r, err := PGD{Ball: Ball{Norm: tc.norm, Radius: tc.radius}, Steps: 25, StepSize: tc.radius / 2, Restarts: 2}.Run(twoPixels, images, make([]int32, 3), key)
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
	r, err := PGD{Ball: Ball{Norm: LInf, Radius: 0.5}, Steps: 20, Restarts: 1}.Run(twoPixels, clean, []int32{0}, key)
	if err != nil || r.Broken[0] || r.Queries != 21 {
		t.Fatalf("got %+v, %v", r, err)
	}
	inBall(t, LInf, 0.5, r.Images, clean)
	up, err := PGD{Ball: Ball{Norm: LInf, Radius: 0.5}, Steps: 20, Restarts: 1}.Run(twoPixels, clean, []int32{1}, key) // the gradient points outwards
	if err != nil || !up.Broken[0] {
		t.Fatalf("got %+v, %v", up, err)
	}
	inBall(t, LInf, 0.5, up.Images, clean)
}

// The second image has label 1 and is answered wrongly without an attack.
// Pixels lie in [−1,1] and ε is in these units. torchattacks 3.5.1, made for [0,1], answers to such an
// image with zeros, a change of 0.9 at ε = 8/255. Its step of 2/255 in 10 steps is ours at that ε:
// 2.5·ε/10, in units twice as large.
func TestUnitsOfPGD(t *testing.T) {
	clean := []float32{-0.9, -0.9}
	ball := Ball{Norm: LInf, Radius: 2 * 8.0 / 255}
	r, err := PGD{Ball: ball, Steps: 10, Restarts: 1}.Run(twoPixels, clean, []int32{0}, key)
	if err != nil {
		t.Fatal(err)
	}
	inBall(t, LInf, ball.Radius, r.Images, clean)
	same, err := PGD{Ball: ball, Steps: 10, StepSize: 2 * 2.0 / 255, Restarts: 1}.Run(twoPixels, clean, []int32{0}, key)
	if err != nil || !reflect.DeepEqual(r, same) {
		t.Errorf("a step of 2/255 gives %+v, unset %+v: %v", same, r, err)
	}
}

func TestCurve(t *testing.T) {
	images := []float32{0.7 / 3, 0, 0.1, 0, 2.1 / 3, 0}
	in := func(radius float64) Attack { return PGD{Ball: Ball{Norm: LInf, Radius: radius}, Steps: 25} }
	radii := []float64{0.05, 0.11, 0.31, 0.5}
	for batch := range 3 {
		var told []int
		o, err := Curve{In: in, Radii: radii, Batch: batch, Key: key, Progress: func(done, total int, _ Outcome) { told = append(told, total-done) }}.Run(twoPixels, images, []int32{0, 1, 0})
		if err != nil {
			t.Fatal(err)
		}
		want := []Point{{0, 2.0 / 3, 1, 0}, {0.05, 2.0 / 3, 0, 0}, {0.11, 1.0 / 3, 1, 1}, {0.31, 0, 1, 1}, {0.5, 0, 0, 0}}
		for i, p := range o.Points(radii) {
			if p != want[i] {
				t.Errorf("batches of %d: got %+v, want %+v", batch, p, want[i])
			}
		}
		if told[len(told)-1] != 0 {
			t.Errorf("told %v", told)
		}
	}
}

// memory is a store that counts.
type memory struct {
	units       map[string]*Unit
	loads, hits int
	stopAt      int // Save fails from so many units on; 0: never
}

func (m *memory) Load(name string) (*Unit, error) {
	m.loads++
	if u := m.units[name]; u != nil {
		m.hits++
		return u, nil
	}
	return nil, nil
}

func (m *memory) Save(name string, u *Unit) error {
	if m.stopAt > 0 && len(m.units) >= m.stopAt {
		return errors.New("full")
	}
	m.units[name] = u
	return nil
}

// A curve that was interrupted goes on where it was and ends as one that wasn't.
func TestCurveGoesOn(t *testing.T) {
	var images []float32
	for i := range 7 {
		images = append(images, float32(i+1)/8, 0)
	}
	c := Curve{Radii: []float64{0.1, 0.2, 0.3}, Batch: 2, Key: key, In: func(radius float64) Attack {
		return PGD{Ball: Ball{Norm: LInf, Radius: radius}, Steps: 3}
	}}
	whole, err := c.Run(twoPixels, images, make([]int32, 7))
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{units: map[string]*Unit{}, stopAt: 4}
	c.Store = m
	if _, err := c.Run(twoPixels, images, make([]int32, 7)); err == nil {
		t.Fatal("a full store was no error")
	}
	m.stopAt = 0
	again, err := c.Run(twoPixels, images, make([]int32, 7))
	if err != nil || m.hits != 4 || !reflect.DeepEqual(again, whole) {
		t.Errorf("%d units taken from the store, %v; got %+v, want %+v", m.hits, err, again, whole)
	}
}

func TestWorstIsTheSmallestRadius(t *testing.T) {
	inf := math.Inf(1)
	a := Outcome{Radius: []float64{1, inf, 0}, Confirmed: []bool{true, false, true}, Images: []float32{1, 2, 3}}
	b := Outcome{Radius: []float64{2, 3, 0}, Confirmed: []bool{true, true, true}, Images: []float32{4, 5, 6}}
	w := Worst(a, b)
	if want := (Outcome{Radius: []float64{1, 3, 0}, Confirmed: []bool{true, true, true}, Images: []float32{1, 5, 3}}); !reflect.DeepEqual(w, want) {
		t.Errorf("got %+v, want %+v", w, want)
	}
}

func TestWrongAttacksAreRefused(t *testing.T) {
	ball := Ball{Norm: LInf, Radius: 0.1}
	for _, a := range []Attack{
		PGD{Ball: Ball{Norm: "l3"}}, PGD{Ball: Ball{Norm: L2, Radius: -1}}, PGD{Ball: Ball{Norm: L2, Radius: math.NaN()}}, PGD{Ball: ball, Steps: -1},
		APGD{Ball: ball, Loss: CrossEntropy}, APGD{Ball: ball, Loss: DLR, Steps: 1}, APGD{Ball: ball, Loss: "mse", Steps: 1},
		Square{Ball: Ball{Norm: L2, Radius: 1}, Queries: 1, Shape: []int{1, 1, 2}}, Square{Ball: ball, Queries: 1}, Square{Ball: ball, Shape: []int{1, 1, 2}},
		Boundary{}, Transfer{From: threeClasses{}, With: PGD{Ball: ball}},
	} {
		if _, err := a.Run(twoPixels, []float32{0, 0}, []int32{0}, key); err == nil {
			t.Errorf("%+v was accepted", a)
		}
	}
	for _, a := range []Attack{PGD{Ball: ball}, APGD{Ball: ball, Loss: CrossEntropy, Steps: 1}, Boundary{Steps: 1}, Pointwise{}} {
		if _, err := a.Run(twoPixels, []float32{0, 0}, []int32{2}, key); err == nil {
			t.Errorf("%T: a label beyond the classes was accepted", a)
		}
	}
	if _, err := (Curve{Radii: []float64{2, 1}}).Run(twoPixels, []float32{0, 0}, []int32{0}); err == nil {
		t.Error("descending radii were accepted")
	}
}

// threeClasses has logits (x₀, x₁, −x₀).
type threeClasses struct{}

func (threeClasses) Classes() int { return 3 }

func (threeClasses) Logits(images []float32, n int, _ philox.Key) ([]float32, error) {
	var logits []float32
	for i := range n {
		logits = append(logits, images[2*i], images[2*i+1], -images[2*i])
	}
	return logits, nil
}

func (c threeClasses) Gradient(dx, images []float32, loss Loss, labels []int32, key philox.Key) ([]float32, error) {
	logits, err := c.Logits(images, len(labels), key)
	var d [3]float32
	for i, y := range labels {
		loss.Grad(d[:], logits[3*i:3*i+3], y)
		dx[2*i], dx[2*i+1] = d[0]-d[2], d[1]
	}
	return logits, err
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
