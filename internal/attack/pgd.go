package attack

import (
	"fmt"
	"math"

	"jem/internal/philox"
)

// Target is a classifier under attack.
type Target interface {
	// Classes is the number of logits of an image, K.
	Classes() int
	// Logits returns the logits (n,K) of images (n,D), valid until the next call. A target
	// that draws random numbers draws them from the key.
	Logits(images []float32, n int, key philox.Key) ([]float32, error)
	// Gradient is Logits, and writes the gradient of each image's cross-entropy with its
	// label to dx (n,D).
	Gradient(dx, images []float32, labels []int32, key philox.Key) ([]float32, error)
}

// Norm measures a change of an image.
type Norm string

// The norms.
const (
	LInf Norm = "linf" // the largest change of a pixel
	L2   Norm = "l2"   // Euclidean, over all pixels
)

// PGD is projected gradient ascent of the cross-entropy (Madry et al. 2018) from random
// starts in the ball around the image. Zero Lo and Hi mean pixels in [−1,1].
type PGD struct {
	Norm     Norm
	Radius   float64 // of the ball, in the images' units
	Steps    int     // gradient steps a start; the paper's 40
	StepSize float64 // of a step in the norm; 0: 2.5·Radius/Steps, which can cross the ball
	Restarts int     // random starts; the paper's 20
	Lo, Hi   float32
}

// Result is what an attack found, by image.
type Result struct {
	Images  []float32 // (n,D): the first wrongly answered image met; else that of the largest cross-entropy
	Broken  []bool    // a wrong answer was met
	Queries int       // gradients taken, in images
}

// Run attacks images (n,D) with n labels. Images that no start broke yet go on to the next;
// a broken one is left as it was found.
func (a PGD) Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error) {
	if err := a.check(images, labels, t.Classes()); err != nil {
		return Result{}, err
	}
	if a.Lo == a.Hi {
		a.Lo, a.Hi = -1, 1
	}
	if a.StepSize == 0 {
		a.StepSize = 2.5 * a.Radius / float64(max(1, a.Steps))
	}
	s := &search{PGD: a, target: t, clean: images, labels: labels, d: len(images) / len(labels)}
	s.Images = append([]float32(nil), images...)
	s.Broken = make([]bool, len(labels))
	s.loss = make([]float64, len(labels))
	for i := range s.loss {
		s.loss[i] = math.Inf(-1)
	}
	for r := range max(1, a.Restarts) {
		if done, err := s.start(key, r); done || err != nil {
			return s.Result, err
		}
	}
	return s.Result, nil
}

func (a PGD) check(images []float32, labels []int32, classes int) error {
	switch {
	case a.Norm != LInf && a.Norm != L2:
		return fmt.Errorf("attack norm %q: want %s or %s", a.Norm, LInf, L2)
	case !(a.Radius >= 0) || math.IsInf(a.Radius, 0) || !(a.StepSize >= 0) || a.Steps < 0 || a.Restarts < 0:
		return fmt.Errorf("attack with radius %g, %d steps of %g and %d restarts: want numbers from 0 on", a.Radius, a.Steps, a.StepSize, a.Restarts)
	case len(labels) == 0 || len(images)%len(labels) != 0:
		return fmt.Errorf("attack on %d pixels with %d labels", len(images), len(labels))
	}
	for i, y := range labels {
		if y < 0 || int(y) >= classes {
			return fmt.Errorf("attack on label %d of image %d: want 0 to %d", y, i, classes-1)
		}
	}
	return nil
}

// search is an attack under way.
type search struct {
	PGD
	Result
	target Target
	clean  []float32
	labels []int32
	d      int
	loss   []float64 // largest cross-entropy met, by image
}

// start makes one random start and climbs from it. done says that all images are broken.
func (s *search) start(key philox.Key, restart int) (done bool, err error) {
	var alive []int
	for i, broken := range s.Broken {
		if !broken {
			alive = append(alive, i)
		}
	}
	if len(alive) == 0 {
		return true, nil
	}
	n := len(alive)
	x, dx, labels := make([]float32, n*s.d), make([]float32, n*s.d), make([]int32, n)
	for j, i := range alive {
		labels[j] = s.labels[i]
		s.scatter(x[j*s.d:(j+1)*s.d], i, key.At(restart, 1+2*i))
	}
	for step := range s.Steps {
		logits, err := s.target.Gradient(dx, x, labels, key.At(restart*(s.Steps+1)+step, 0))
		if err != nil {
			return false, err
		}
		s.Queries += n
		s.judge(alive, x, logits)
		for j, i := range alive {
			s.ascend(x[j*s.d:(j+1)*s.d], dx[j*s.d:(j+1)*s.d], i)
		}
	}
	logits, err := s.target.Logits(x, n, key.At(restart*(s.Steps+1)+s.Steps, 0))
	if err != nil {
		return false, err
	}
	s.judge(alive, x, logits)
	return false, nil
}

// scatter writes a random start of image i.
func (s *search) scatter(x []float32, i int, key philox.Key) {
	if s.Norm == LInf {
		key.FillUniform(x, float32(-s.Radius), float32(s.Radius))
	} else { // uniform in the ball: a direction, and a radius whose D-th power is uniform
		key.FillNormal(x)
		key.Sub++
		u := float64(philox.Float(key.Uint32(0))) + 1.0/(1<<25)
		scale(x, s.Radius*math.Pow(u, 1/float64(s.d))/length(x))
	}
	s.add(x, i)
}

// ascend moves image i, x, along its gradient g and back into the ball.
func (s *search) ascend(x, g []float32, i int) {
	clean := s.clean[i*s.d:]
	for k := range x {
		x[k] -= clean[k]
	}
	if s.Norm == LInf {
		for k, v := range g {
			x[k] = clamp(x[k]+float32(s.StepSize*sign(v)), float32(-s.Radius), float32(s.Radius))
		}
	} else {
		if l := length(g); l > 0 {
			for k, v := range g {
				x[k] += float32(s.StepSize / l * float64(v))
			}
		}
		if l := length(x); l > s.Radius {
			scale(x, s.Radius/l)
		}
	}
	s.add(x, i)
}

// add turns a change of image i into the changed image, kept in the range of pixels. A clean
// pixel lies in that range or is noisy: it may then stay where it is.
func (s *search) add(x []float32, i int) {
	for k, v := range s.clean[i*s.d : (i+1)*s.d] {
		x[k] = clamp(x[k]+v, min(s.Lo, v), max(s.Hi, v))
	}
}

// judge remembers wrong answers and the largest cross-entropies.
func (s *search) judge(alive []int, x, logits []float32) {
	k := s.target.Classes()
	for j, i := range alive {
		if s.Broken[i] {
			continue
		}
		row := logits[j*k : (j+1)*k]
		wrong, loss := Wrong(row, s.labels[i]), crossEntropy(row, s.labels[i])
		if wrong || loss > s.loss[i] {
			s.Broken[i], s.loss[i] = wrong, loss
			copy(s.Images[i*s.d:(i+1)*s.d], x[j*s.d:(j+1)*s.d])
		}
	}
}
