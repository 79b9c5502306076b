package replay

import (
	"cmp"
	"math"
	"slices"

	"jem/backend"
)

const (
	// kinkRoundings is τ of an activation tensor in units of u·max|activation|.
	// A pre-activation is a float32 sum that docs/numerics.md bounds by 4·u·Σ|aᵢbᵢ|. For n
	// zero-mean terms Σ|aᵢbᵢ| ≈ 0.6·√n standard deviations of the sum, and the largest of
	// some 10⁵ sums is 4 to 5 of them: 4·u·Σ|aᵢbᵢ| = 16·u·max at n ≈ 900, a 3×3 convolution
	// of 100 channels.
	kinkRoundings = 16
	// maxUnits and maxTrials bound the search to as many backward passes.
	maxUnits, maxTrials = 200, 400
	// unitRoundoff is u, half the distance of float32 numbers at 1.
	unitRoundoff = 0x1p-24
	// besideZero is a float32 on whose sign nothing but a derivative depends.
	besideZero = 0x1p-126
)

// unit is a LeakyReLU of the training pass that the rounding of its sum may have put on
// either side of zero.
type unit struct {
	sample backend.Tensor // the activations of its layer and sample (1,C,H,W)
	at     int            // its place there, NCHW
	value  float32        // as computed
	z      float64        // |pre-activation|
	bound  float64        // τ ≥ z
	other  bool           // it has been put on the other side
}

// settle takes ambiguous units to the other side of zero if that, and nothing less, brings
// the gradients within their tolerance. It is steepest descent on the largest error over
// the sides of all units. Where the gradients stay wrong they are left as first computed:
// then the error is not one of kinks.
func (r *replay) settle() (Kinks, error) {
	now, err := r.gradients()
	if err != nil || now.OK || now.Message != "" {
		return Kinks{}, err
	}
	units, err := r.ambiguous()
	if err != nil {
		return Kinks{}, err
	}
	for trials := 0; !now.OK && trials < maxTrials; trials += len(units) {
		next, err := r.flipBest(units, now)
		if err != nil {
			return Kinks{}, err
		}
		if next.MaxRel >= now.MaxRel {
			break
		}
		now = next
	}
	if !now.OK {
		return Kinks{}, r.restore(units)
	}
	return kinks(units), nil
}

// flipBest flips the unit that reduces the error most, or none, and returns the new error.
func (r *replay) flipBest(units []unit, now Comparison) (Comparison, error) {
	best := -1
	for i := range units {
		c, err := r.flip(&units[i])
		if err != nil || c.OK {
			return c, err
		}
		if c.MaxRel < now.MaxRel {
			best, now = i, c
		}
		if err := r.toggle(&units[i]); err != nil {
			return c, err
		}
	}
	if best < 0 {
		return now, nil
	}
	return r.flip(&units[best])
}

// flip moves a unit across zero and differentiates again.
func (r *replay) flip(u *unit) (Comparison, error) {
	if err := r.toggle(u); err != nil {
		return Comparison{}, err
	}
	return r.backward()
}

// backward repeats the backward pass of differentiate.
func (r *replay) backward() (Comparison, error) {
	r.dev.Fill(r.Net.Params.Grad, 0)
	r.Net.ParamGrad(r.Batch.DLogit, nil)
	return r.gradients()
}

// restore puts every unit back where it was computed, and so the gradients.
func (r *replay) restore(units []unit) error {
	for i := range units {
		if units[i].other {
			if err := r.toggle(&units[i]); err != nil {
				return err
			}
		}
	}
	_, err := r.backward()
	return err
}

// toggle moves a unit to the other side of zero, or back. The activation changes by its
// rounding at most, so what follows from its value stays.
func (r *replay) toggle(u *unit) error {
	values := make([]float32, backend.Len(u.sample))
	if err := r.dev.Download(values, u.sample); err != nil {
		return err
	}
	u.other = !u.other
	switch {
	case !u.other:
		values[u.at] = u.value
	case u.value > 0:
		values[u.at] = -besideZero
	default:
		values[u.at] = besideZero
	}
	r.dev.Upload(u.sample, values)
	return nil
}

// ambiguous finds the units of the last pass within rounding of their kink, the closest
// first.
func (r *replay) ambiguous() ([]unit, error) {
	var all []unit
	for _, t := range r.Net.Activations() {
		values := make([]float32, backend.Len(t))
		if err := r.dev.Download(values, t); err != nil {
			return nil, err
		}
		n := len(values) / t.Shape()[0]
		for _, u := range nearZero(values, r.Net.Config.Slope) {
			u.sample = r.dev.Rows(t, u.at/n, u.at/n+1)
			u.at %= n
			all = append(all, u)
		}
	}
	slices.SortStableFunc(all, func(a, b unit) int { return cmp.Compare(a.z/a.bound, b.z/b.bound) })
	return all[:min(len(all), maxUnits)], nil
}

// nearZero finds the units of one layer whose pre-activation is within τ, from their
// LeakyReLU outputs.
func nearZero(values []float32, slope float32) (found []unit) {
	largest := 0.0
	for _, v := range values {
		largest = max(largest, math.Abs(float64(v)))
	}
	bound := kinkRoundings * unitRoundoff * largest
	for i, v := range values {
		z := float64(v)
		if v < 0 {
			z = -z / float64(slope)
		}
		if z <= bound && bound > 0 {
			found = append(found, unit{at: i, value: v, z: z, bound: bound})
		}
	}
	return found
}

// kinks sums up the flipped units.
func kinks(units []unit) (k Kinks) {
	for _, u := range units {
		if !u.other {
			continue
		}
		k.Flipped++
		if u.z >= k.Max {
			k.Max, k.Bound = u.z, u.bound
		}
	}
	return k
}
