package weights

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"jem/internal/fault"
	"jem/model"
)

const counter = ".num_batches_tracked"

// leave looks at what is left of a network once its parameters are taken: the heads that the official
// network has and makes no use of, in their official shapes, and the counters of its batch norms. Beside
// them other programs keep counts and scalars, which are passed over. Anything else belongs to another
// network.
func (w *Weights) leave(n *network) error {
	for _, name := range n.names {
		e := n.byName[name]
		if e == nil {
			continue
		}
		t, err := w.unused(name, e)
		switch {
		case err != nil:
			return err
		case t != nil:
			w.Unused = append(w.Unused, *t)
		case ofNetwork(name) || strings.HasSuffix(name, counter) || e.kind.Float() && len(e.shape) > 0:
			return errors.New(fault.Sprintf("tensor %q belongs to no %s", name, w.described()))
		default:
			n.passed = append(n.passed, name)
		}
	}
	return nil
}

// described is the network in words.
func (w *Weights) described() string {
	if c := w.Config; c.Network != model.MLP {
		return fmt.Sprintf("Wide-ResNet of depth %d with norm %s", c.Depth, c.Norm)
	}
	return fmt.Sprintf("perceptron of %d hidden layers", w.Config.Depth)
}

// ofNetwork holds for names within the official network.
func ofNetwork(name string) bool { return strings.HasPrefix(name, "f.") || ofHeads(name) }

// unused reads a tensor that the official network has and makes no use of; nil if it has none of this name.
func (w *Weights) unused(name string, e *entry) (*Tensor, error) {
	if norm, ok := strings.CutSuffix(name, counter); ok {
		if w.Config.Norm != "batch" || !w.hasNorm(norm) {
			return nil, nil
		}
		return count(name, e)
	}
	shape, ok := w.heads()[name]
	if !ok {
		return nil, nil
	}
	if !slices.Equal(e.shape, shape) || !e.kind.Float() {
		return nil, errors.New(fault.Sprintf("tensor %q has shape %v, the official network's has floats of shape %v", name, e.shape, shape))
	}
	t, err := e.finite(name)
	return &t, err
}

func (w *Weights) hasNorm(name string) bool {
	return slices.ContainsFunc(w.Stats, func(t Tensor) bool { return t.Name == name+".running_mean" })
}

// heads are the shapes of f.linear and energy_output, which a perceptron doesn't have.
func (w *Weights) heads() map[string][]int {
	if w.Config.Network == model.MLP {
		return nil
	}
	features := w.Config.Features()
	return map[string][]int{
		"f.linear.weight": {officialHead, features}, "f.linear.bias": {officialHead},
		"energy_output.weight": {1, features}, "energy_output.bias": {1},
	}
}

// count reads how many batches a norm has seen, a whole number even where a file was cast to other types.
func count(name string, e *entry) (*Tensor, error) {
	if len(e.shape) != 0 {
		return nil, errors.New(fault.Sprintf("tensor %q has shape %v, want one number", name, e.shape))
	}
	t, err := e.finite(name)
	if t.F32 != nil {
		t.I32, t.F32 = []int32{int32(min(max(t.F32[0], 0), 1<<30))}, nil
	}
	return &t, err
}
