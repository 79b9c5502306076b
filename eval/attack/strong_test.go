package attack

import (
	"math"
	"testing"

	"jem/backend/philox"
)

// Central differences of the losses err by h² of their third derivative and by 1e−7/h of
// float32 logits: below 1e−3 at h = 1e−3 for logits of size 1.
func TestLossGradients(t *testing.T) {
	for _, logits := range [][]float32{{0.3, -1, 1.2, 0.7}, {1.5, 0.2, -0.4, 0.1}, {-0.5, 2, 1, 0}} {
		for _, loss := range []Loss{CrossEntropy, DLR, Margin} {
			for label := range int32(4) {
				d := make([]float32, 4)
				loss.Grad(d, logits, label)
				for k := range logits {
					const h = 1e-3
					at := func(step float32) float64 {
						moved := append([]float32(nil), logits...)
						moved[k] += step
						return loss.Value(moved, label)
					}
					if slope := (at(h) - at(-h)) / (2 * h); math.Abs(slope-float64(d[k])) > 2e-3 {
						t.Errorf("%s of %v, label %d: derivative %d is %g, differences say %g", loss, logits, label, k, d[k], slope)
					}
				}
			}
		}
	}
	// By hand: z = (3,1,2,0), label 0: −(3−2)/(3−1); label 2: −(2−3)/(3−1).
	if a, b := DLR.Value([]float32{3, 1, 2, 0}, 0), DLR.Value([]float32{3, 1, 2, 0}, 2); math.Abs(a+0.5) > 1e-9 || math.Abs(b-0.5) > 1e-9 {
		t.Errorf("got %g and %g, want −0.5 and 0.5", a, b)
	}
	if v := DLR.Value([]float32{1, 1, 1}, 0); math.IsNaN(v) || math.IsInf(v, 0) {
		t.Errorf("equal logits: got %g", v)
	}
}

// right are images with the labels that the target gives them.
func right(t *testing.T, target Target, n int) ([]float32, []int32) {
	t.Helper()
	x, y := images(n)
	logits, err := target.Logits(x, n, key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y {
		best := 0
		for k, v := range logits[i*10 : (i+1)*10] {
			if v > logits[i*10+best] {
				best = k
			}
		}
		y[i] = int32(best)
	}
	return x, y
}

// No attack in a ball leaves it or the range of pixels, whatever the target says.
func TestAttacksStayInTheirBall(t *testing.T) {
	target := small(t, RefinedOptions{Chains: 1})
	x, y := right(t, target, 9)
	for _, norm := range []Norm{LInf, L2} {
		ball := Ball{Norm: norm, Radius: 0.02}
		attacks := []Attack{
			PGD{Ball: ball, Steps: 5, Restarts: 2, StepSize: 0.05}, PGD{Ball: ball, Steps: 5, Climb: true},
			APGD{Ball: ball, Loss: CrossEntropy, Steps: 12, Restarts: 2}, APGD{Ball: ball, Loss: DLR, Steps: 12, Climb: true},
		}
		if norm == LInf {
			attacks = append(attacks, Square{Ball: ball, Queries: 30, Shape: []int{3, 8, 8}})
		}
		for _, a := range attacks {
			r, err := a.Run(target, x, y, key)
			if err != nil {
				t.Fatal(err)
			}
			changed := false
			for i := range y {
				got, clean := r.Images[i*192:(i+1)*192], x[i*192:(i+1)*192]
				size := norm.Length(got, clean)
				changed = changed || size > 0
				// float32 pixels up to 1 are rounded to 6e−8, and an L2 change has 192 of them
				if size > ball.Radius+1e-6 {
					t.Errorf("%T %s: image %d was moved by %g", a, norm, i, size)
				}
				for _, v := range got {
					if v < -1 || v > 1 {
						t.Errorf("%T %s: image %d has a pixel %g", a, norm, i, v)
					}
				}
			}
			if !changed {
				t.Errorf("%T %s changed nothing", a, norm)
			}
		}
	}
}

func count(all []bool) (n int) {
	for _, v := range all {
		if v {
			n++
		}
	}
	return n
}

// On a network, with the same number of gradients, APGD breaks at least as many images as PGD
// and climbs at least as high.
func TestAPGDIsNoWeakerThanPGD(t *testing.T) {
	target := small(t, RefinedOptions{Chains: 1})
	x, y := right(t, target, 40)
	strictly := false
	for _, norm := range []Norm{LInf, L2} {
		for _, radius := range []float64{0.01, 0.03, 0.1} {
			ball := Ball{Norm: norm, Radius: radius}
			if norm == L2 {
				ball.Radius *= math.Sqrt(192) / 2
			}
			plain, err := PGD{Ball: ball, Steps: 20, Climb: true}.Run(target, x, y, key)
			if err != nil {
				t.Fatal(err)
			}
			auto, err := APGD{Ball: ball, Loss: CrossEntropy, Steps: 20, Climb: true}.Run(target, x, y, key)
			if err != nil {
				t.Fatal(err)
			}
			if count(auto.Broken) < count(plain.Broken) {
				t.Errorf("%s %g: APGD breaks %d of 40, PGD %d", norm, ball.Radius, count(auto.Broken), count(plain.Broken))
			}
			a, b := meanLoss(t, target, auto.Images, y), meanLoss(t, target, plain.Images, y)
			if a < b-1e-4 {
				t.Errorf("%s %g: APGD reaches a loss of %g, PGD %g", norm, ball.Radius, a, b)
			}
			strictly = strictly || a > b
		}
	}
	if !strictly {
		t.Error("the two never differ")
	}
}

func meanLoss(t *testing.T, target Target, x []float32, y []int32) (sum float64) {
	t.Helper()
	logits, err := target.Logits(x, len(y), key)
	if err != nil {
		t.Fatal(err)
	}
	for i, label := range y {
		sum += CrossEntropy.Value(logits[i*10:(i+1)*10], label) / float64(len(y))
	}
	return sum
}

// The checkpoints of 100 steps, from the published shares 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99.
func TestCheckpoints(t *testing.T) {
	got := checkpoints(100)
	for _, at := range []int{22, 41, 57, 70, 80, 87, 93, 99} {
		if !got[at] {
			t.Errorf("no checkpoint at %d: %v", at, got)
		}
	}
	if len(got) != 8 {
		t.Errorf("got %v", got)
	}
}

// A linear margin of 0.7 falls by 7·ε with the whole image one square: 0.101 breaks it, 0.099
// can't.
func TestSquareBreaksWhatCanBeBroken(t *testing.T) {
	for radius, want := range map[float64]bool{0.099: false, 0.101: true} {
		r, err := Square{Ball: Ball{Norm: LInf, Radius: radius}, Queries: 200, Shape: []int{1, 1, 2}}.Run(twoPixels, []float32{0.7 / 3, 0}, []int32{0}, key)
		if err != nil || r.Broken[0] != want || !want && r.Queries != 200 {
			t.Errorf("%g: got %+v, %v", radius, r, err)
		}
	}
}

// plane is a classifier of two classes in 48 dimensions with w·x: the nearest wrong answer is
// |w·x|/‖w‖₂ away.
func plane() (linear, []float32, float64) {
	w, x := make([]float32, 48), make([]float32, 48)
	philox.New(5, 0, philox.Test).FillNormal(w)
	philox.New(6, 0, philox.Test).FillUniform(x, -0.5, 0.5)
	dot := 0.0
	for k := range w {
		dot += float64(w[k]) * float64(x[k])
	}
	return linear{w}, x, math.Abs(dot) / length(w)
}

// The walk comes near the nearest wrong answer: within a tenth of it after 2000 steps, from a
// start some 10 times as far.
func TestBoundaryComesNearTheBorder(t *testing.T) {
	target, x, nearest := plane()
	label := int32(0)
	if logits, _ := target.Logits(x, 1, key); logits[0] < 0 {
		label = 1
	}
	at := func(steps int) float64 {
		r, err := Boundary{Steps: steps}.Run(target, x, []int32{label}, key)
		if err != nil || !r.Broken[0] {
			t.Fatalf("got %+v, %v", r, err)
		}
		logits, _ := target.Logits(r.Images, 1, key)
		if !Wrong(logits, label) {
			t.Fatal("the image is answered rightly")
		}
		return L2.Length(r.Images, x)
	}
	near, far := at(2000), at(1)
	if near < nearest-1e-4 || near > 1.1*nearest || far < 2*nearest {
		t.Errorf("got %g after 2000 steps and %g after one, the border is %g away", near, far, nearest)
	}
}

// What is left can't go back: every changed value is needed, and is as small as six halvings
// make it.
func TestPointwiseLeavesWhatIsNeeded(t *testing.T) {
	target, x, _ := plane()
	label := int32(0)
	if logits, _ := target.Logits(x, 1, key); logits[0] < 0 {
		label = 1
	}
	r, err := Pointwise{}.Run(target, x, []int32{label}, key)
	if err != nil || !r.Broken[0] {
		t.Fatalf("got %+v, %v", r, err)
	}
	changed := 0
	for k, v := range r.Images {
		if v == x[k] {
			continue
		}
		changed++
		back := append([]float32(nil), r.Images...)
		back[k] = x[k]
		if logits, _ := target.Logits(back, 1, key); Wrong(logits, label) {
			t.Errorf("value %d was changed for nothing", k)
		}
	}
	if logits, _ := target.Logits(r.Images, 1, key); !Wrong(logits, label) || changed == 0 || changed > 16 {
		t.Errorf("%d values changed, wrong answer: %v", changed, Wrong(logits, label))
	}
}

// A class that nothing shows can't be left: no attack on answers finds anything, and the
// image stays.
func TestConstantAnswers(t *testing.T) {
	for _, a := range []Attack{Boundary{Steps: 2}, Pointwise{}} {
		x := []float32{0.1, 0.2, 0.3, 0.4}
		r, err := a.Run(linear{[]float32{0, 0}}, x, []int32{0, 0}, key)
		if err != nil || r.Broken[0] || r.Images[0] != x[0] {
			t.Errorf("%T: got %+v, %v", a, r, err)
		}
	}
}

// noisy adds the key's noise to the answers of a linear classifier.
type noisy struct{ linear }

func (n noisy) Logits(images []float32, count int, k philox.Key) ([]float32, error) {
	logits, err := n.linear.Logits(images, count, k)
	for i := range count {
		logits[2*i] += k.Normal(uint64(i))
	}
	return logits, err
}

// The mean of 400 answers has a standard deviation of 1/20; it is allowed four of them.
func TestExpectedAveragesTheNoise(t *testing.T) {
	e := &Expected{Of: noisy{twoPixels}, Draws: 400}
	x := []float32{0.5, 0, 0, 0}
	logits, err := e.Logits(x, 2, key)
	if err != nil || math.Abs(float64(logits[0])-1.5) > 0.2 || math.Abs(float64(logits[2])) > 0.2 {
		t.Errorf("got %v, %v", logits, err)
	}
	one := &Expected{Of: noisy{twoPixels}, Draws: 1}
	if a, _ := one.Logits(x, 2, key); math.Abs(float64(a[0])-1.5) < 1e-3 {
		t.Errorf("one draw has no noise: %v", a)
	}
}

// Averages of a target without noise are that target, gradients too.
func TestExpectedOfAFixedTarget(t *testing.T) {
	target := small(t, RefinedOptions{Chains: 1})
	x, y := images(3)
	a, b := make([]float32, len(x)), make([]float32, len(x))
	if _, err := target.Gradient(a, x, DLR, y, key); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Expected{Of: target, Draws: 4}).Gradient(b, x, DLR, y, key); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-6*(1+math.Abs(float64(a[i]))) { // four quarters, rounded
			t.Fatalf("pixel %d: got %g and %g", i, a[i], b[i])
		}
	}
}

// Images made against w·x break its twin, and not a classifier of the opposite sign.
func TestTransfer(t *testing.T) {
	x, y := []float32{0.1, 0}, []int32{0}
	with := PGD{Ball: Ball{Norm: LInf, Radius: 0.2}, Steps: 10, Climb: true}
	twin, err := Transfer{From: twoPixels, With: with}.Run(linear{[]float32{6, -8}}, x, y, key)
	if err != nil || !twin.Broken[0] {
		t.Errorf("the twin: got %+v, %v", twin, err)
	}
	// w·x is −0.3 there: wrong for label 0, right for label 1, and more so after the attack
	against, err := Transfer{From: twoPixels, With: with}.Run(linear{[]float32{-3, 4}}, x, y, key)
	if err != nil || against.Broken[0] {
		t.Errorf("the opposite: got %+v, %v", against, err)
	}
}

// Along the gradient of the DLR its value grows by h·‖g‖², as in TestGradientOfCrossEntropy.
func TestGradientOfAnyLoss(t *testing.T) {
	r := small(t, RefinedOptions{Chains: 2, Noise: 0.01})
	x, y := images(7)
	g := make([]float32, len(x))
	if _, err := r.Gradient(g, x, DLR, y, key); err != nil {
		t.Fatal(err)
	}
	row := g[:192]
	norm, h := length(row), 0.002
	at := func(step float64) float64 {
		moved := append([]float32(nil), x...)
		for k := range row {
			moved[k] += float32(step / norm * float64(row[k]))
		}
		logits, err := r.Logits(moved, 7, key)
		if err != nil {
			t.Fatal(err)
		}
		return DLR.Value(logits[:10], y[0])
	}
	if slope := (at(h) - at(-h)) / (2 * h); math.Abs(slope-norm) > 0.05*norm {
		t.Errorf("slope %g, gradient norm %g", slope, norm)
	}
}
