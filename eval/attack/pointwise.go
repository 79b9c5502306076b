package attack

import (
	"slices"

	"jem/backend/philox"
)

// Pointwise starts from salt-and-pepper noise and takes back as many of the changed values as
// it can (Schott et al. 2019): it asks for nothing but the class, and looks for an image that
// differs in few values. Values go back in groups that shrink from 64 to 1, in random order,
// until none can go back alone; then each is brought as near to the clean one as halving its
// difference allows.
type Pointwise struct {
	Lo, Hi float32
}

const (
	pointwiseGroup    = 64
	pointwiseHalvings = 6
	pointwiseRounds   = 4 // through all values one by one, at most
)

// Run implements Attack.
func (a Pointwise) Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error) {
	if a.Lo == a.Hi {
		a.Lo, a.Hi = -1, 1
	}
	if err := labelled(t, images, labels); err != nil {
		return Result{}, err
	}
	o := newOracle(t, images, labels)
	if err := o.begin(pepper{a.Lo, a.Hi}, key); err != nil {
		return o.Result, err
	}
	p := &pointwise{oracle: o, key: philox.New(key.Seed, 1, philox.SampleNoise)}
	for group := pointwiseGroup; group > 1; group /= 2 {
		if _, err := p.round(group, func(x, clean []float32, at int) { x[at] = clean[at] }); err != nil {
			return o.Result, err
		}
	}
	for range pointwiseRounds {
		taken, err := p.round(1, func(x, clean []float32, at int) { x[at] = clean[at] })
		if err != nil {
			return o.Result, err
		}
		if taken == 0 {
			break
		}
	}
	for range pointwiseHalvings {
		if _, err := p.round(1, func(x, clean []float32, at int) { x[at] = (x[at] + clean[at]) / 2 }); err != nil {
			return o.Result, err
		}
	}
	return o.Result, nil
}

// pointwise is a search under way.
type pointwise struct {
	*oracle
	key    philox.Key // orders of values
	rounds int
	asks   int
}

// round goes once through the changed values of all images, in groups, and keeps each change
// after which the answer is still wrong. It returns how many were kept.
func (p *pointwise) round(group int, change func(x, clean []float32, at int)) (taken int, err error) {
	orders := make([][]int, len(p.labels))
	for i := range orders {
		orders[i] = p.order(i)
	}
	p.rounds++
	for lo := 0; ; lo += group {
		p.each(func(i int) bool { return lo < len(orders[i]) }, func(i int, x []float32) {
			copy(x, p.best(i))
			for _, at := range orders[i][lo:min(lo+group, len(orders[i]))] {
				change(x, p.cleanOf(i), at)
			}
		})
		if len(p.asked) == 0 {
			return taken, nil
		}
		p.asks++
		err := p.ask(p.key.At(p.asks, 1), func(_ int, wrong bool) bool {
			if wrong {
				taken++
			}
			return wrong
		})
		if err != nil {
			return taken, err
		}
	}
}

// order lists the values in which the best of image i differs, shuffled.
func (p *pointwise) order(i int) []int {
	var all []int
	if !p.Broken[i] {
		return nil
	}
	for k, v := range p.best(i) {
		if v != p.cleanOf(i)[k] {
			all = append(all, k)
		}
	}
	perm := make([]int, len(all))
	p.key.At(p.rounds, 2+i).Perm(perm)
	shuffled := slices.Clone(all)
	for j, at := range perm {
		shuffled[j] = all[at]
	}
	return shuffled
}

// pepper is salt-and-pepper noise: a share of the values, growing with the tries, is set to
// one or the other end of the range.
type pepper struct{ lo, hi float32 }

func (s pepper) fill(x, clean []float32, n, tries int, key philox.Key) {
	copy(x, clean)
	share := float32(n+1) / float32(tries)
	for k := range x {
		if key.Uniform(uint64(2*k)) < share {
			if x[k] = s.lo; key.Uint32(uint64(2*k+1))&1 == 1 {
				x[k] = s.hi
			}
		}
	}
}
