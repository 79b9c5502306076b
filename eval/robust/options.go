package robust

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"jem/eval/attack"
	"jem/feed"
	"jem/predict"
)

// level is the difference of neighbouring values of an 8-bit pixel in the network's range [−1,1].
const level = 2.0 / 255

// Kinds are the attacks by name, in the order of tables.
var Kinds = []string{"pgd", "apgd-ce", "apgd-dlr", "square", "boundary", "pointwise"}

// Meanings say what each attack is and where it comes from.
var Meanings = map[string]string{
	"pgd":       "projected gradient ascent of the cross-entropy from random starts (Madry et al. 2018), step 2.5·ε/steps",
	"apgd-ce":   "Auto-PGD on the cross-entropy (Croce & Hein 2020)",
	"apgd-dlr":  "Auto-PGD on the difference-of-logits ratio (Croce & Hein 2020)",
	"square":    "random squares, without gradients, L∞ only (Andriushchenko et al. 2020)",
	"boundary":  "walk along the decision border by classes alone, smallest L2 change (Brendel et al. 2018)",
	"pointwise": "fewest changed values by classes alone (Schott et al. 2019)",
}

// Options say how the predictor JEM-k is attacked. The zero value is PGD as published, on JEM-0
// without noise.
type Options struct {
	Kind     string    `json:"attack"`      // of Kinds; empty: pgd
	Norm     string    `json:"norm"`        // linf or l2; empty: linf
	Epsilons []float64 `json:"epsilon_255"` // radii in units of 1/255 of the pixels' range, ascending, above 0; none: Radii
	Steps    int       `json:"pgd_steps"`   // gradient steps of pgd and apgd; 0: 40, as published
	Restarts int       `json:"restarts"`    // of pgd and apgd; 0: 20, as published
	Queries  int       `json:"queries"`     // of square; steps of boundary; 0: 1000
	Refine   int       `json:"refine"`      // k, SGLD steps before the answer
	Chains   int       `json:"chains"`      // noisy copies of an image; 0: 5, as published
	Noise    float32   `json:"chain_noise"` // std of the copies' noise, 0.03 as published for L∞, 0 for L2
	Draws    int       `json:"draws"`       // answers with fresh noise over which losses and gradients are averaged; 0: 1, as published
	Images   int       `json:"images"`      // the first so many; 0: 300, as published
	Batch    int       `json:"batch"`       // images attacked together; 0: 50
	Seed     uint64    `json:"attack_seed"`

	Split  string             `json:"-"` // of feed.Splits; empty: as feed.Source chooses
	From   *predict.Predictor `json:"-"` // its gradients are used instead: a transfer attack; nil: the predictor's own
	Folder string             `json:"-"` // finished batches are kept here, so that an interrupted attack goes on; empty: nowhere
	Point  func(Point)        `json:"-"` // hears of each ε done; may be nil
}

// Radii are those that curves of a norm show, in units of 1/255 of the pixels' range.
func Radii(norm string) []float64 {
	if norm == "l2" {
		return []float64{25, 50, 100, 150, 250}
	}
	return []float64{1, 2, 4, 8, 16}
}

// settled replaces zeros by what they stand for.
func (o Options) settled() Options {
	o.Kind, o.Norm = cmp.Or(o.Kind, Kinds[0]), cmp.Or(o.Norm, string(attack.LInf))
	o.Steps, o.Restarts, o.Queries = cmp.Or(o.Steps, 40), cmp.Or(o.Restarts, 20), cmp.Or(o.Queries, 1000)
	o.Chains, o.Draws, o.Images, o.Batch = cmp.Or(o.Chains, 5), cmp.Or(o.Draws, 1), cmp.Or(o.Images, 300), cmp.Or(o.Batch, 50)
	if len(o.Epsilons) == 0 {
		o.Epsilons = Radii(o.Norm)
	}
	return o
}

func (o Options) check() error {
	if o.Chains < 1 || o.Chains > feed.EvalBatch || o.Refine < 0 || o.Images < 1 || o.Draws < 1 || o.Queries < 1 || o.Batch < 1 {
		return fmt.Errorf("attack with %d chains, %d refinement steps, %d images, %d draws, %d queries, batches of %d: want 1 to %d chains, at least 0 steps and 1 of the others",
			o.Chains, o.Refine, o.Images, o.Draws, o.Queries, o.Batch, feed.EvalBatch)
	}
	if !slices.Contains(Kinds, o.Kind) {
		return fmt.Errorf("no attack %q; there are %s", o.Kind, strings.Join(Kinds, ", "))
	}
	return nil
}

// protocol says in words what the figures are.
func (o Options) protocol(source *predict.Subject) string {
	parts := []string{
		Meanings[o.Kind],
		"pixels kept in range; images answered wrongly without attack count as wrong; logits averaged over the chains",
	}
	switch {
	case source != nil:
		parts = append(parts, "images made against another network (source) and shown to this one")
	case o.Kind == "square" || o.Kind == "boundary" || o.Kind == "pointwise":
		parts = append(parts, "no gradients")
	case o.Refine == 0:
		parts = append(parts, "exact gradient for the noise drawn")
	default:
		parts = append(parts, "the gradient passes straight through refinement, as published, so it is not exact")
	}
	if o.Draws > 1 {
		return strings.Join(append(parts, fmt.Sprintf("losses and gradients are means over %d draws of the noise", o.Draws)), "; ")
	}
	return strings.Join(append(parts, "fresh noise each query"), "; ")
}
