package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
)

// Config says what was recorded. Fields with a default are absent from older files.
type Config struct {
	Depth       int     `json:"depth"`        // of the Wide-ResNet, 6n+4
	Width       int     `json:"width"`        // widen factor
	Classes     int     `json:"classes"`      // K
	Batch       int     `json:"batch"`        // B
	Steps       int     `json:"sgld_steps"`   // SGLD steps a chain
	PX          float64 `json:"p_x"`          // weight of log p(x)
	PYX         float64 `json:"p_y_given_x"`  // weight of log p(y|x)
	PXY         float64 `json:"p_x_y"`        // weight of log p(x,y)
	Optimizer   string  `json:"optimizer"`    // adam or sgd
	LR          float64 `json:"lr"`           // learning rate, no warm-up
	Beta1       float64 `json:"beta1"`        // Adam; default 0.9
	Beta2       float64 `json:"beta2"`        // Adam; default 0.999
	Eps         float64 `json:"eps"`          // Adam; default 1e-8
	Momentum    float64 `json:"momentum"`     // SGD; default 0.9
	WeightDecay float64 `json:"weight_decay"` // default 5e-4 for sgd, 0 for adam
	StepSize    float64 `json:"sgld_lr"`      // α; default 1
	Noise       float64 `json:"sgld_std"`     // σ; default 0.01
	Slope       float64 `json:"slope"`        // LeakyReLU; default 0.2
	ParamScale  float64 `json:"param_scale"`  // factor on PyTorch's initialisation, already in param0; for people
	// Trace holds the loss terms of each training step: l_px, f_xp, f_xq, l_pyx, l_pxy and
	// the total L. Only the first step's tensors are recorded.
	Trace []map[string]float64 `json:"trace"`
}

// Tensor is one array of a step: float32 or int32, row-major.
type Tensor struct {
	Shape []int
	F32   []float32 // nil for integers
	I32   []int32   // nil for floats
}

// Len is the number of elements.
func (t Tensor) Len() int { return len(t.F32) + len(t.I32) }

// Step is one recorded training step.
type Step struct {
	Name    string // the files' name without extension, for messages
	Config  Config
	Image   [3]int // C, H, W of a picture
	Tensors map[string]Tensor
	Extra   []string // tensors that a replay doesn't know: Compare leaves them out
}

// Chain is one SGLD chain of a step: the start and the standard normals drawn at each of
// its steps, which a replay uses in place of its own.
type Chain struct {
	Start []float32   // (B,C,H,W)
	Noise [][]float32 // K times (B,C,H,W)
}

// Read reads a step. path names either of its files, or both without extension.
func Read(path string) (*Step, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(path, ".json"), ".safetensors")
	config, err := readConfig(base + ".json")
	if err != nil {
		return nil, err
	}
	tensors, err := readTensors(base + ".safetensors")
	if err != nil {
		return nil, err
	}
	return newStep(base, config, tensors)
}

func newStep(base string, config Config, tensors map[string]Tensor) (*Step, error) {
	s := &Step{Name: base[strings.LastIndexAny(base, `/\`)+1:], Config: config, Tensors: tensors}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("%s.safetensors: %w", base, err)
	}
	return s, nil
}

func readConfig(path string) (Config, error) {
	data, err := durable.ReadFile(path, maxConfig)
	if err != nil {
		return Config{}, err
	}
	c, err := parseConfig(data)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseConfig(data []byte) (Config, error) {
	c := Config{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Momentum: 0.9, WeightDecay: -1, StepSize: 1, Noise: 0.01, Slope: 0.2, ParamScale: 1}
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, errors.New(fault.Sprintf("%v", err))
	}
	if c.WeightDecay < 0 {
		c.WeightDecay = 0
		if c.Optimizer == "sgd" {
			c.WeightDecay = 5e-4
		}
	}
	return c, c.validate()
}

// maxCount bounds the counts of a configuration, so that their products stay in range.
const maxCount = 1 << 16

func (c Config) validate() error {
	for _, f := range []struct {
		key string
		v   int
	}{{"depth", c.Depth}, {"width", c.Width}, {"classes", c.Classes}, {"batch", c.Batch}, {"sgld_steps", c.Steps}} {
		if f.v < 1 || f.v > maxCount {
			return fmt.Errorf("%s is %d, want 1 to %d", f.key, f.v, maxCount)
		}
	}
	if c.Depth < 10 || (c.Depth-4)%6 != 0 {
		return fmt.Errorf("depth is %d, want 6n+4", c.Depth)
	}
	if c.Optimizer != "adam" && c.Optimizer != "sgd" {
		return fmt.Errorf("optimizer is %s, want adam or sgd", fault.Quote(c.Optimizer))
	}
	if c.PX == 0 && c.PYX == 0 && c.PXY == 0 {
		return fmt.Errorf("p_x, p_y_given_x and p_x_y are all 0")
	}
	if len(c.Trace) == 0 {
		return fmt.Errorf("trace is empty, want the loss terms of one step")
	}
	return nil
}

// Loss returns the recorded loss terms: l_px, f_xp, f_xq, l_pyx, l_pxy, as far as the
// objective has them, and the total L.
func (s *Step) Loss() map[string]float64 { return s.Config.Trace[0] }

// XP and XLab are the pictures (B,C,H,W) of the log p(x) and the labelled stream, YLab
// the labels (B).
func (s *Step) XP() []float32   { return s.Tensors["in/x_p"].F32 }
func (s *Step) XLab() []float32 { return s.Tensors["in/x_lab"].F32 }
func (s *Step) YLab() []int32   { return s.Tensors["in/y_lab"].I32 }

// Chain is the chain of log p(x): start and noise. ok is false where the step has none.
func (s *Step) Chain() (c Chain, ok bool) { return s.chain("in/x0", "in/noise") }

// JointChain is the chain of log p(x,y), which climbs f(x)[y] with the labels of the batch.
func (s *Step) JointChain() (c Chain, ok bool) { return s.chain("in/x0_y", "in/noise_y") }

func (s *Step) chain(start, noise string) (Chain, bool) {
	x, ok := s.Tensors[start]
	z := s.Tensors[noise]
	if !ok || len(z.F32) != s.Config.Steps*x.Len() {
		return Chain{}, false
	}
	return Chain{x.F32, slices.Collect(slices.Chunk(z.F32, x.Len()))}, true
}

// Params returns the tensors whose names begin with prefix ("param0/", "param1/", "grad/"),
// under their names in the state dict.
func (s *Step) Params(prefix string) map[string]Tensor {
	group := map[string]Tensor{}
	for name, t := range s.Tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			group[rest] = t
		}
	}
	return group
}

// Names returns the names of all tensors in order.
func (s *Step) Names() []string { return slices.Sorted(maps.Keys(s.Tensors)) }
