package attack

import (
	"fmt"
	"math"

	"jem/backend/philox"
)

// Target is a classifier under attack.
type Target interface {
	// Classes is the number of logits of an image, K.
	Classes() int
	// Logits returns the logits (n,K) of images (n,D), valid until the next call. A target
	// that draws random numbers draws them from the key.
	Logits(images []float32, n int, key philox.Key) ([]float32, error)
	// Gradient is Logits, and writes the gradient of each image's loss to dx (n,D).
	Gradient(dx, images []float32, loss Loss, labels []int32, key philox.Key) ([]float32, error)
}

// Attack changes images so that a target answers them wrongly.
type Attack interface {
	// Run attacks images (n,D) with n labels. It is a function of its arguments.
	Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error)
}

// Result is what an attack found, by image.
type Result struct {
	Images  []float32 // (n,D): a wrongly answered image, the nearest or the first met; else that of the largest loss
	Broken  []bool    // a wrong answer was met
	Queries int       // gradients, or logits of attacks that take none, in images
}

// Norm measures a change of an image.
type Norm string

// The norms.
const (
	LInf Norm = "linf" // the largest change of a pixel
	L2   Norm = "l2"   // Euclidean, over all pixels
)

// Length is the size of the change from clean to x.
func (n Norm) Length(x, clean []float32) float64 {
	size := 0.0
	for k, v := range x {
		d := math.Abs(float64(v) - float64(clean[k]))
		if n == LInf {
			size = max(size, d)
		} else {
			size += d * d
		}
	}
	if n == LInf {
		return size
	}
	return math.Sqrt(size)
}

// Ball is where an attack may go: images within a radius of the clean one, with pixels in
// range. Zero Lo and Hi mean pixels in [−1,1].
type Ball struct {
	Norm   Norm
	Radius float64 // in the images' units
	Lo, Hi float32
}

// ball returns b with its defaults, or what is wrong with it or the images.
func (b Ball) ball(t Target, images []float32, labels []int32) (Ball, error) {
	if b.Lo == b.Hi {
		b.Lo, b.Hi = -1, 1
	}
	switch {
	case b.Norm != LInf && b.Norm != L2:
		return b, fmt.Errorf("attack norm %q: want %s or %s", b.Norm, LInf, L2)
	case !(b.Radius >= 0) || math.IsInf(b.Radius, 0):
		return b, fmt.Errorf("attack with radius %g: want a number from 0 on", b.Radius)
	}
	return b, labelled(t, images, labels)
}

// labelled checks images and labels.
func labelled(t Target, images []float32, labels []int32) error {
	if len(labels) == 0 || len(images)%len(labels) != 0 {
		return fmt.Errorf("attack on %d pixels with %d labels", len(images), len(labels))
	}
	for i, y := range labels {
		if y < 0 || int(y) >= t.Classes() {
			return fmt.Errorf("attack on label %d of image %d: want 0 to %d", y, i, t.Classes()-1)
		}
	}
	return nil
}

// project moves x to the nearest image of the ball around clean; for L2 and pixels out of
// range, to one near it. A clean pixel lies in range or is noisy: it may then stay.
func (b Ball) project(x, clean []float32) {
	if b.Norm == LInf {
		r := float32(b.Radius)
		for k, v := range clean {
			x[k] = clamp(x[k], v-r, v+r)
		}
	} else if l := L2.Length(x, clean); l > b.Radius {
		f := b.Radius / l
		for k, v := range clean {
			x[k] = v + float32(f*(float64(x[k])-float64(v)))
		}
	}
	for k, v := range clean {
		x[k] = clamp(x[k], min(b.Lo, v), max(b.Hi, v))
	}
}

// climb adds a step along g, its length measured in the norm, to x.
func (b Ball) climb(x, g []float32, step float64) {
	if b.Norm == LInf {
		for k, v := range g {
			x[k] += float32(step * sign(v))
		}
		return
	}
	if l := length(g); l > 0 {
		for k, v := range g {
			x[k] += float32(step / l * float64(v))
		}
	}
}

// scatter writes a random image of the ball to x: uniform in it before pixels are cut to
// their range. The key's Sub and the one after it are used.
func (b Ball) scatter(x, clean []float32, key philox.Key) {
	if b.Norm == LInf {
		key.FillUniform(x, float32(-b.Radius), float32(b.Radius))
	} else { // a direction, and a radius whose D-th power is uniform
		key.FillNormal(x)
		key.Sub++
		u := float64(philox.Float(key.Uint32(0))) + 1.0/(1<<25)
		scale(x, b.Radius*math.Pow(u, 1/float64(len(x)))/length(x))
	}
	for k, v := range clean {
		x[k] += v
	}
	b.project(x, clean)
}
