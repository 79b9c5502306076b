package weights

import "jem/model"

// officialHead is the number of classes of f.linear: the official code leaves it at its
// default whatever the data set.
const officialHead = 10

// StateDict lists all tensors that the official network has, in its order, so that
// load_state_dict(strict=True) takes them. Heads that it has but never uses are those of
// the file that was read, or zeros; a batch counter that is not known is 0.
func (w *Weights) StateDict() []Tensor {
	have := map[string]Tensor{}
	for _, list := range [][]Tensor{w.Stats, w.Unused} {
		for _, t := range list {
			have[t.Name] = t
		}
	}
	var out []Tensor
	for _, p := range w.Params {
		if p.Name == anchor && w.Config.Network != model.MLP {
			shapes := w.heads()
			for _, name := range []string{"f.linear.weight", "f.linear.bias", "energy_output.weight", "energy_output.bias"} {
				out = append(out, known(have, name, shapes[name]))
			}
		}
		out = append(out, p)
		if norm, ok := normOf(p.Name); ok && w.Config.Norm == "batch" {
			out = append(out, have[norm+".running_mean"], have[norm+".running_var"], counted(have, norm+counter))
		}
	}
	return out
}

// known is the file's tensor of that name, or zeros.
func known(have map[string]Tensor, name string, shape []int) Tensor {
	if t, ok := have[name]; ok {
		return t
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	return Tensor{Name: name, Shape: shape, F32: make([]float32, n)}
}

func counted(have map[string]Tensor, name string) Tensor {
	if t, ok := have[name]; ok {
		return t
	}
	return Tensor{Name: name, I32: []int32{0}}
}
