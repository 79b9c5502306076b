package attack

import (
	"fmt"
	"math"
	"slices"

	"jem/backend/philox"
)

// Curve measures accuracy against the size of the change that is allowed. Images answered
// wrongly without an attack count as wrong and are not attacked; an image broken at one
// radius is broken at every larger one, whose ball contains the smaller.
type Curve struct {
	// In is the attack in a ball of a radius. It is nil where Free is given.
	In    func(radius float64) Attack
	Radii []float64 // ascending
	// Free is an attack that looks for the smallest change instead, measured in Norm.
	Free Attack
	Norm Norm

	Batch int        // images attacked together; 0: all
	Key   philox.Key // of all random numbers; a batch's don't depend on others'
	Store Store      // remembers finished batches; may be nil
	// Progress hears of every batch done, all batches of one radius before the next, and of
	// what was found so far; may be nil.
	Progress func(done, total int, so Outcome)
}

// Outcome says by image how large a change it took. Points reads a curve from it.
type Outcome struct {
	Radius    []float64 // 0: wrong without an attack; +Inf: not broken; else the smallest radius tried that broke it, or the change that Free found
	Confirmed []bool    // broken, and answered wrongly again with fresh noise
	Images    []float32 // (n,D): the image that broke it; the clean one where none did
}

// Point is the accuracy under attacks of one radius.
type Point struct {
	Radius    float64 // 0: no attack
	Accuracy  float64 // share of images answered rightly without attack that no attack up to this radius broke
	Broken    int     // images that were broken at this radius and at none before; at 0 those answered wrongly anyway
	Confirmed int     // of those, how many the target answers wrongly again with fresh noise
}

// Unit is what an attack found in one batch at one radius.
type Unit struct {
	Broken    []bool
	Confirmed []bool
	Images    []float32 // (n,D) of the batch's images that were still right
}

// Store keeps units, so that an interrupted curve goes on where it was.
type Store interface {
	// Load returns a unit, nil if there is none.
	Load(name string) (*Unit, error)
	Save(name string, u *Unit) error
}

// Run attacks images (n,D) with n labels.
func (c Curve) Run(t Target, images []float32, labels []int32) (Outcome, error) {
	if !slices.IsSorted(c.Radii) {
		return Outcome{}, fmt.Errorf("attack radii %v: want them ascending", c.Radii)
	}
	if err := labelled(t, images, labels); err != nil {
		return Outcome{}, err
	}
	r := &curve{Curve: c, target: t, clean: images, labels: labels, d: len(images) / len(labels)}
	r.Radius, r.Confirmed, r.Images = make([]float64, len(labels)), make([]bool, len(labels)), slices.Clone(images)
	if r.Batch < 1 {
		r.Batch = len(labels)
	}
	if err := r.classify(); err != nil {
		return r.Outcome, err
	}
	radii := c.Radii
	if c.Free != nil {
		radii = []float64{math.Inf(1)}
	}
	done, batches := 0, (len(labels)+r.Batch-1)/r.Batch
	for at, radius := range radii {
		for b := range batches {
			if err := r.unit(at, b, radius); err != nil {
				return r.Outcome, err
			}
			if done++; c.Progress != nil {
				c.Progress(done, batches*len(radii), r.Outcome)
			}
		}
	}
	return r.Outcome, nil
}

// curve is a Curve under way.
type curve struct {
	Curve
	Outcome
	target Target
	clean  []float32
	labels []int32
	d      int
}

// classify finds the images that are answered wrongly without an attack.
func (c *curve) classify() error {
	wrong, err := wrong(c.target, c.clean, c.labels, c.Key)
	for i, w := range wrong {
		if c.Radius[i] = math.Inf(1); w {
			c.Radius[i], c.Confirmed[i] = 0, true
		}
	}
	return err
}

// unit attacks what is left of batch b at radius number at.
func (c *curve) unit(at, b int, radius float64) error {
	var which []int
	var images []float32
	var labels []int32
	for i := b * c.Batch; i < min((b+1)*c.Batch, len(c.labels)); i++ {
		if math.IsInf(c.Radius[i], 1) {
			which, labels = append(which, i), append(labels, c.labels[i])
			images = append(images, c.clean[i*c.d:(i+1)*c.d]...)
		}
	}
	if len(which) == 0 {
		return nil
	}
	u, err := c.stored(fmt.Sprintf("e%02d-b%04d", at, b), len(which), func() (*Unit, error) {
		key := philox.New(c.Key.Seed, uint32(at<<16|b)+1, philox.SampleNoise)
		if c.Free != nil {
			return c.attack(c.Free, images, labels, key)
		}
		return c.attack(c.In(radius), images, labels, key)
	})
	if err != nil {
		return err
	}
	for j, i := range which {
		if !u.Broken[j] {
			continue
		}
		found := u.Images[j*c.d : (j+1)*c.d]
		c.Radius[i], c.Confirmed[i] = radius, u.Confirmed[j]
		if c.Free != nil {
			c.Radius[i] = c.Norm.Length(found, images[j*c.d:(j+1)*c.d])
		}
		copy(c.Images[i*c.d:], found)
	}
	return nil
}

// stored returns the unit of a name, computing it where the store has none.
func (c *curve) stored(name string, n int, compute func() (*Unit, error)) (*Unit, error) {
	if c.Store == nil {
		return compute()
	}
	u, err := c.Store.Load(name)
	if err != nil {
		return nil, err
	}
	if u != nil && len(u.Broken) == n && len(u.Confirmed) == n && len(u.Images) == n*c.d {
		return u, nil
	}
	if u, err = compute(); err != nil {
		return nil, err
	}
	return u, c.Store.Save(name, u)
}

// attack runs an attack and asks again, with fresh noise, about what it broke.
func (c *curve) attack(a Attack, images []float32, labels []int32, key philox.Key) (*Unit, error) {
	r, err := a.Run(c.target, images, labels, key)
	if err != nil {
		return nil, err
	}
	again, err := wrong(c.target, r.Images, labels, philox.New(key.Seed, 2, philox.SampleNoise))
	if err != nil {
		return nil, err
	}
	u := &Unit{Broken: r.Broken, Confirmed: again, Images: r.Images}
	for i, broken := range r.Broken {
		u.Confirmed[i] = u.Confirmed[i] && broken
	}
	return u, nil
}

// wrong asks the target about every image.
func wrong(t Target, images []float32, labels []int32, key philox.Key) ([]bool, error) {
	k := t.Classes()
	logits, err := t.Logits(images, len(labels), key)
	if err != nil {
		return nil, err
	}
	all := make([]bool, len(labels))
	for i, y := range labels {
		all[i] = Wrong(logits[i*k:(i+1)*k], y)
	}
	return all, nil
}

// Points is the curve at the given radii, ascending, after a point without attack.
func (o Outcome) Points(radii []float64) []Point {
	points, before := []Point{}, math.Inf(-1)
	for _, radius := range append([]float64{0}, radii...) {
		p, right := Point{Radius: radius}, 0
		for i, r := range o.Radius {
			switch {
			case r > radius:
				right++
			case r > before:
				p.Broken++
				if o.Confirmed[i] {
					p.Confirmed++
				}
			}
		}
		if radius == 0 {
			p.Confirmed = 0 // nothing was attacked
		}
		p.Accuracy = float64(right) / float64(len(o.Radius))
		points, before = append(points, p), radius
	}
	return points
}

// Worst joins outcomes of different attacks on the same images: each image's smallest radius.
func Worst(all ...Outcome) Outcome {
	w := Outcome{Radius: slices.Clone(all[0].Radius), Confirmed: slices.Clone(all[0].Confirmed), Images: slices.Clone(all[0].Images)}
	d := len(w.Images) / max(1, len(w.Radius))
	for _, o := range all[1:] {
		for i, r := range o.Radius {
			if r < w.Radius[i] {
				w.Radius[i], w.Confirmed[i] = r, o.Confirmed[i]
				copy(w.Images[i*d:(i+1)*d], o.Images[i*d:])
			}
		}
	}
	return w
}
