package attack

import (
	"slices"

	"jem/backend/philox"
)

// oracle is what attacks that ask only for classes share: for each image a wrongly answered
// one, to be brought nearer to it.
type oracle struct {
	Result
	target Target
	clean  []float32
	labels []int32
	d      int
	x      []float32 // proposals (n,D) of the broken images
	asked  []int     // images in x, by place
}

func newOracle(t Target, images []float32, labels []int32) *oracle {
	return &oracle{
		Result: Result{Images: slices.Clone(images), Broken: make([]bool, len(labels))},
		target: t, clean: images, labels: labels, d: len(images) / len(labels), x: make([]float32, len(images)),
	}
}

func (o *oracle) cleanOf(i int) []float32 { return o.clean[i*o.d : (i+1)*o.d] }
func (o *oracle) best(i int) []float32    { return o.Images[i*o.d : (i+1)*o.d] }

// start proposes images that may be answered wrongly.
type start interface {
	// fill writes try number n for a clean image to x. tries is how many there will be.
	fill(x, clean []float32, n, tries int, key philox.Key)
}

// tries is how many starts an image gets, before others of its batch are tried.
const tries = 20

// begin looks for a wrong answer to each image: among the starts, then among the other
// images, which are wrong answers where the target knows them.
func (o *oracle) begin(s start, key philox.Key) error {
	for n := range tries {
		o.each(func(i int) bool { return !o.Broken[i] }, func(i int, x []float32) {
			s.fill(x, o.cleanOf(i), n, tries, key.At(n, 2*len(o.labels)+2*i))
		})
		if err := o.ask(key.At(n, 1), o.found); err != nil || len(o.asked) == 0 {
			return err
		}
	}
	for n := range min(len(o.labels)-1, tries) {
		o.each(func(i int) bool { return !o.Broken[i] }, func(i int, x []float32) {
			copy(x, o.cleanOf((i+n+1)%len(o.labels)))
		})
		if err := o.ask(key.At(tries+n, 1), o.found); err != nil || len(o.asked) == 0 {
			return err
		}
	}
	return nil
}

func (o *oracle) found(i int, wrong bool) bool {
	o.Broken[i] = wrong
	return wrong
}

// each proposes an image for those that are in.
func (o *oracle) each(in func(i int) bool, fill func(i int, x []float32)) {
	o.asked = o.asked[:0]
	for i := range o.labels {
		if in(i) {
			n := len(o.asked)
			fill(i, o.x[n*o.d:(n+1)*o.d])
			o.asked = append(o.asked, i)
		}
	}
}

// propose proposes a change of each broken image's best.
func (o *oracle) propose(fill func(i int, x, clean, best []float32)) {
	o.each(func(i int) bool { return o.Broken[i] }, func(i int, x []float32) { fill(i, x, o.cleanOf(i), o.best(i)) })
}

// ask asks for the answers to what was proposed; take says whether a proposal becomes the best.
func (o *oracle) ask(key philox.Key, take func(i int, wrong bool) bool) error {
	if len(o.asked) == 0 {
		return nil
	}
	k := o.target.Classes()
	logits, err := o.target.Logits(o.x[:len(o.asked)*o.d], len(o.asked), key)
	if err != nil {
		return err
	}
	o.Queries += len(o.asked)
	for j, i := range o.asked {
		if take(i, Wrong(logits[j*k:(j+1)*k], o.labels[i])) {
			copy(o.best(i), o.x[j*o.d:(j+1)*o.d])
		}
	}
	return nil
}

// nearer reports whether image i's proposal is nearer to the clean image than its best.
func (o *oracle) nearer(i int) bool {
	j := slices.Index(o.asked, i)
	return L2.Length(o.x[j*o.d:(j+1)*o.d], o.cleanOf(i)) < L2.Length(o.best(i), o.cleanOf(i))
}

// halve brings each best image to the border on the straight way to the clean one.
func (o *oracle) halve(key philox.Key, times int) error {
	far := slices.Clone(o.Images)
	right, wrongAt := make([]float64, len(o.labels)), make([]float64, len(o.labels)) // shares of the way, from the clean image
	for i := range wrongAt {
		wrongAt[i] = 1
	}
	for n := range times {
		middle := func(i int) float64 { return (right[i] + wrongAt[i]) / 2 }
		o.propose(func(i int, x, clean, _ []float32) {
			for k, v := range clean {
				x[k] = v + float32(middle(i))*(far[i*o.d+k]-v)
			}
		})
		err := o.ask(key.At(n, 2), func(i int, wrong bool) bool {
			if wrong {
				wrongAt[i] = middle(i)
			} else {
				right[i] = middle(i)
			}
			return wrong
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noiseStart is uniform noise.
type noiseStart struct{ lo, hi float32 }

func (s noiseStart) fill(x, _ []float32, _, _ int, key philox.Key) { key.FillUniform(x, s.lo, s.hi) }
