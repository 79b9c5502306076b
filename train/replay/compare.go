package replay

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Values are a replay's results under the names that the step file uses, as
// "out/lse_xp", "sgld/x3", "grad/f.conv1.weight"; loss terms are "loss/L", "loss/f_xp".
type Values map[string][]float32

// Params adds parameters or gradients under prefix ("param1/", "grad/").
func (v Values) Params(prefix string, params map[string][]float32) {
	for name, p := range params {
		v[prefix+name] = p
	}
}

// Loss adds loss terms.
func (v Values) Loss(terms map[string]float64) {
	for name, x := range terms {
		v["loss/"+name] = []float32{float32(x)}
	}
}

// Comparison is the outcome for one group of results.
type Comparison struct {
	Group     string  `json:"group"`     // loss, out/logits_xlab, sgld/x3, grad, param1, …
	MaxAbs    float64 `json:"max_abs"`   // largest error
	MaxRel    float64 `json:"max_rel"`   // largest error divided by its tensor's largest entry
	Tolerance float64 `json:"tolerance"` // on MaxRel
	Place     string  `json:"place"`     // tensor and element of MaxRel
	Compared  int     `json:"compared"`  // elements
	OK        bool    `json:"ok"`
	Message   string  `json:"message,omitempty"` // what is missing or misshapen
}

// String is one line for people.
func (c Comparison) String() string {
	s := fmt.Sprintf("%s: %d values, max error %.3g, %.3g of the largest entry, tolerance %.3g", c.Group, c.Compared, c.MaxAbs, c.MaxRel, c.Tolerance)
	if c.MaxRel > 0 {
		s += ", at " + c.Place
	}
	if c.Message != "" {
		s += ": " + c.Message
	}
	return s
}

// Compare holds results against the recording, group by group in the order of
// computation. Results that the step records and got lacks fail their group. Tolerances
// are fractions of the tensor's largest entry, for float32 arithmetic in another order:
//
//   - loss terms and outputs 1e-5, a network's few hundred roundings of 6e-8;
//   - gradients 1e-4: sums over the batch's pixels, most of which cancel;
//   - chains k·1e-5 after k steps, each of which adds the rounding of one more gradient
//     and moves the next;
//   - parameters 1e-5. Adam's first step divides a gradient by its own magnitude, so
//     entries with a gradient of 1e-7 or less are left out.
func (s *Step) Compare(got Values) []Comparison {
	groups := s.groups()
	var all []Comparison
	for _, g := range s.order(groups) {
		all = append(all, s.compare(g, groups[g], got))
	}
	return append(all, s.compareLoss(got))
}

// CompareGrad compares the group "grad" alone.
func (s *Step) CompareGrad(got Values) Comparison { return s.compare("grad", s.groups()["grad"], got) }

func (s *Step) compare(group string, names []string, got Values) Comparison {
	c := newComparison(group)
	for _, name := range names {
		c.add(name, got[name], s.Tensors[name].F32, s.ignored(name))
	}
	return c.done()
}

// groups lists the names of the recorded results by group.
func (s *Step) groups() map[string][]string {
	groups := map[string][]string{}
	for _, name := range s.Names() {
		if !strings.HasPrefix(name, "in/") && !strings.HasPrefix(name, "param0/") && !slices.Contains(s.Extra, name) {
			groups[groupOf(name)] = append(groups[groupOf(name)], name)
		}
	}
	return groups
}

func (s *Step) compareLoss(got Values) Comparison {
	c := newComparison("loss")
	// A term may be a small difference of larger ones: errors are measured by the largest.
	largest := 0.0
	for _, x := range s.Loss() {
		largest = max(largest, math.Abs(x))
	}
	for name, x := range s.Loss() {
		c.addScaled("loss/"+name, got["loss/"+name], []float32{float32(x)}, nil, largest)
	}
	return c.done()
}

// groupOf names the group that a tensor is reported in.
func groupOf(name string) string {
	if strings.HasPrefix(name, "grad/") || strings.HasPrefix(name, "param1/") {
		return name[:strings.Index(name, "/")]
	}
	return name
}

// order lists the groups as they are computed: the chain, outputs, gradients, parameters.
func (s *Step) order(groups map[string][]string) []string {
	names := []string{"sgld/grad0"}
	for k := range s.Config.Steps {
		names = append(names, fmt.Sprintf("sgld/x%d", k+1))
	}
	names = append(names, "out/lse_xp", "out/lse_xq", "out/logits_xlab", "grad", "param1")
	return slices.DeleteFunc(names, func(g string) bool { return len(groups[g]) == 0 })
}

func tolerance(group string) float64 {
	var k int
	switch {
	case group == "grad" || group == "sgld/grad0":
		return 1e-4
	case parse(group, "sgld/x%d", &k):
		return float64(k) * 1e-5
	}
	return 1e-5
}

func parse(s, format string, k *int) bool {
	n, err := fmt.Sscanf(s, format, k)
	return n == 1 && err == nil
}

// ignored marks the entries that Adam's first step leaves to chance.
func (s *Step) ignored(name string) func(i int) bool {
	param, ok := strings.CutPrefix(name, "param1/")
	if !ok || s.Config.Optimizer != "adam" {
		return nil
	}
	grad := s.Tensors["grad/"+param].F32
	return func(i int) bool { return math.Abs(float64(grad[i])) <= 1e-7 }
}

func newComparison(group string) *Comparison {
	return &Comparison{Group: group, Tolerance: tolerance(group)}
}

func (c *Comparison) add(name string, got, want []float32, ignored func(int) bool) {
	largest := 0.0
	for _, x := range want {
		largest = max(largest, math.Abs(float64(x)))
	}
	c.addScaled(name, got, want, ignored, largest)
}

func (c *Comparison) addScaled(name string, got, want []float32, ignored func(int) bool, largest float64) {
	switch {
	case got == nil:
		c.complain("%s is missing", name)
		return
	case len(got) != len(want):
		c.complain("%s has %d values, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		if ignored != nil && ignored(i) {
			continue
		}
		c.Compared++
		err := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(err) || math.IsInf(err, 0) {
			c.complain("%s[%d] is %v, want %v", name, i, got[i], want[i])
			return
		}
		rel := err
		if largest > 0 {
			rel = err / largest
		}
		c.MaxAbs = max(c.MaxAbs, err)
		if rel > c.MaxRel {
			c.MaxRel, c.Place = rel, fmt.Sprintf("%s[%d]", name, i)
		}
	}
}

// complain keeps the first fault.
func (c *Comparison) complain(format string, args ...any) {
	if c.Message == "" {
		c.Message = fmt.Sprintf(format, args...)
	}
}

func (c *Comparison) done() Comparison {
	c.OK = c.Message == "" && c.MaxRel <= c.Tolerance
	return *c
}
