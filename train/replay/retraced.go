package replay

import (
	"fmt"
	"math"
	"strings"

	"jem/backend"
	"jem/model"
)

// slack is how much farther than the recorder's own float32 a device may be from its float64. The CPU's chains
// err by far more than plain sums (tiles of 8×8, docs/numerics.md), and so does what their images go into: 15 times
// as much is the most seen. A weight of the loss that is wrong by a thousandth makes 600 (TestRecordingsTellSettings).
const slack = 32

// leastScale is the share of the largest entry of a group by which the errors of its smaller tensors are measured at least:
// biases before a batch norm have no gradient but rounding.
const leastScale = 0.1

// partNames are the recorder's names of a batch's parts, negativeNames those of the images that the model makes.
var (
	partNames     = map[model.Role]string{model.DataPX: "data", model.ChainPX: "chain", model.Labeled: "labeled", model.Attacked: "attacked", model.Dreams: "dream"}
	negativeNames = map[model.Role]string{model.ChainPX: "chain", model.Attacked: "attack", model.Dreams: "dream"}
)

// moved compares the images that the model made, after their last move.
func (r *retrace) moved(i int) error {
	c := &r.recipe.Config
	steps := map[model.Role]int{model.ChainPX: c.Sampler.Steps, model.Attacked: c.Attack.Steps, model.Dreams: c.Dream.Steps}
	for p, part := range r.Batch.Parts {
		name, ok := negativeNames[part.Role]
		if !ok {
			continue
		}
		x, err := r.read(r.Batch.Views[p].X)
		if err != nil {
			return err
		}
		r.compare(fmt.Sprintf("%d/%s", i, name), "move", Values{fmt.Sprintf("%d/%s/x%d", i, name, steps[part.Role]): x})
	}
	return nil
}

// differentiated compares logits and gradients of the training passes; at is "climbed/" for those at the
// worst weights nearby.
func (r *retrace) differentiated(i int, at string) error {
	logits, gradients := Values{}, Values{}
	k, lo := r.Net.Config.Classes, 0
	for p, part := range r.Batch.Parts {
		d, err := r.read(r.Batch.Views[p].DLogit)
		if err != nil {
			return err
		}
		logits[fmt.Sprintf("%d/%slogits/%s", i, at, partNames[part.Role])] = r.Batch.Logits[lo*k : (lo+part.N)*k]
		gradients[fmt.Sprintf("%d/%sdlogits/%s", i, at, partNames[part.Role])] = d
		lo += part.N
	}
	r.compare(fmt.Sprintf("%d/%slogits", i, at), "logits", logits)
	r.compare(fmt.Sprintf("%d/%sdlogits", i, at), "dlogits", gradients)
	if i > 0 {
		return nil // the recorder keeps the gradients of the first step alone
	}
	return r.parameters(fmt.Sprintf("%d/%sgrad", i, at), func(p model.Param) backend.Tensor { return p.Grad })
}

// addLogPx adds the means of log p(x) of the batch's parts as of the last pass.
func (r *retrace) addLogPx(to map[string]float64, at string) {
	k, lo := r.Net.Config.Classes, 0
	for _, part := range r.Batch.Parts {
		for _, v := range logSumExps(r.Batch.Logits[lo*k:(lo+part.N)*k], k) {
			to[at+"log_px_"+partNames[part.Role]] += float64(v) / float64(part.N)
		}
		lo += part.N
	}
}

// addTerms adds the terms' values under the recorder's names, which are those of their weights.
func addTerms(to map[string]float64, t model.Terms) {
	to["L"], to["p_x"], to["p_y_given_x"] = t.L, t.PX, t.PYX
	to["attacked"], to["attacked_p_x"], to["bce"] = t.Attacked, t.AttackedPX, t.BCE
}

// compareTerms compares the values that the recorder has. A term may be a small difference of larger ones, so errors
// are measured by the largest; those of norms by themselves.
func (r *retrace) compareTerms(i int, got map[string]float64) {
	c := r.comparison(fmt.Sprintf("%d/terms", i), "terms")
	want, largest := r.recipe.Trace[i], 0.0
	for name, v := range want {
		if !strings.HasSuffix(name, "norm") {
			largest = max(largest, math.Abs(v))
		}
	}
	for _, name := range sortedKeys(want) {
		scale := largest
		if strings.HasSuffix(name, "norm") {
			scale = want[name]
		}
		v, ok := got[name]
		if !ok {
			c.complain("%s is missing", name)
			continue
		}
		c.addScaled(name, []float32{float32(v)}, []float32{float32(want[name])}, nil, scale)
	}
	r.outcome.Groups = append(r.outcome.Groups, c.done())
}

// statistics compares the running ones.
func (r *retrace) statistics(i int) error {
	all := Values{}
	for _, s := range r.Net.Stats {
		v, err := r.read(s.Value)
		if err != nil {
			return err
		}
		all[fmt.Sprintf("%d/stats/%s", i, s.Name)] = v
	}
	if len(all) > 0 {
		r.compare(fmt.Sprintf("%d/stats", i), "stats", all)
	}
	return nil
}

// parameters compares the recorded entries of the parameters, or of their gradients, and the norms of all.
func (r *retrace) parameters(group string, of func(model.Param) backend.Tensor) error {
	kind := "grad"
	if group == "param" {
		kind = group
	}
	all, norms := Values{}, []float32{}
	for _, p := range r.Net.Params.List {
		v, err := r.read(of(p))
		if err != nil {
			return err
		}
		all[group+"/"+p.Name] = thinned(v, r.recipe.Stride)
		norms = append(norms, norm(v))
	}
	all["norms/"+group] = norms
	r.compare(group, kind, all)
	return nil
}

func thinned(v []float32, stride int) (kept []float32) {
	for i := 0; i < len(v); i += stride {
		kept = append(kept, v[i])
	}
	return kept
}

func norm(v []float32) float32 {
	var s float64
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	return float32(math.Sqrt(s))
}

func (r *retrace) read(t backend.Tensor) ([]float32, error) {
	v := make([]float32, backend.Len(t))
	return v, r.dev.Download(v, t)
}

// comparison is one of results of that kind.
func (r *retrace) comparison(group, kind string) *Comparison {
	return &Comparison{Group: group, Tolerance: slack * r.recipe.Rounding[kind]}
}

// compare compares results with those recorded under the same names.
func (r *retrace) compare(group, kind string, got Values) {
	c := r.comparison(group, kind)
	most := map[string]float64{}
	for name := range got {
		for _, v := range r.recipe.Tensors[name].F32 {
			most[name] = max(most[name], math.Abs(float64(v)))
		}
		most[""] = max(most[""], most[name])
	}
	for _, name := range sortedKeys(got) {
		c.addScaled(name, got[name], r.recipe.Tensors[name].F32, nil, max(most[name], leastScale*most[""]))
	}
	r.outcome.Groups = append(r.outcome.Groups, c.done())
}
