package step

import (
	"fmt"

	"jem/backend"
	"jem/config"
	"jem/config/settings"
	"jem/feed"
	"jem/internal/sysmem"
	"jem/model"
	"jem/optim"
	"jem/predict"
)

// Footprint is the device memory that a run takes, in bytes, by what it depends on.
type Footprint struct {
	Parameters  int64 `json:"parameters"`  // values, gradients, optimiser's state, moving average
	Plans       int64 `json:"plans"`       // the convolutions' own: weights in their order, sums, working memory
	Activations int64 `json:"activations"` // of a batch, with their gradients and the images
	Buffer      int64 `json:"buffer"`      // the replay buffer
}

// Total is the sum.
func (f Footprint) Total() int64 { return f.Parameters + f.Plans + f.Activations + f.Buffer }

// NewFootprint computes the memory of a run on a device without taking it: the run is built
// on a device that only adds up sizes. false where the device doesn't tell sizes.
func NewFootprint(dev backend.Device, c config.Config, src feed.Sources) (Footprint, bool, error) {
	sizes, ok := dev.(backend.Sizer)
	if !ok {
		return Footprint{}, false, nil
	}
	l := &ledger{sizes: sizes}
	err := l.book(c, src)
	l.Plans += l.shared
	return l.Footprint, err == nil, err
}

// ledger is a device on which things can be made, not used. Dense tensors count as
// parameters unless they are the replay buffer.
type ledger struct {
	backend.Device // nil: it computes nothing
	sizes          backend.Sizer
	Footprint
	shared int64 // working memory, the most that a plan asks for
}

// book makes what Trainer's New makes, but for the host's part.
func (l *ledger) book(c config.Config, src feed.Sources) error {
	netConfig := c.Network(len(src.Classes), src.Channels, src.Size)
	batch := newBatch(l, c.Parts(), c.Loss(), netConfig)
	net, err := model.Plan(l, netConfig, max(len(batch.hostLabels), feed.EvalBatch))
	if err != nil {
		return err
	}
	if batch.Part(model.ChainPX|model.ChainXY) >= 0 {
		pixels := netConfig.InC * netConfig.Size * netConfig.Size
		l.Buffer = l.sizes.TensorSize(backend.Dense, c.Sampler.Buffer, pixels)
	}
	if _, err := optim.New(c.Optim.Name, l, net.Params.Value, net.Params.Grad, c.Hyper()); err != nil {
		return err
	}
	if c.Optim.EMA > 0 {
		optim.NewEMA(l, net.Params.Value, c.Optim.EMA)
	}
	predict.NewEvaluator(l, net)
	return nil
}

// sketch is a tensor without memory.
type sketch struct {
	kind  backend.Kind
	shape []int
}

func (s sketch) Kind() backend.Kind { return s.kind }
func (s sketch) Shape() []int       { return s.shape }

// New implements backend.Memory.
func (l *ledger) New(kind backend.Kind, shape ...int) backend.Tensor {
	bytes := l.sizes.TensorSize(kind, shape...)
	if kind == backend.Image {
		l.Activations += bytes
	} else {
		l.Parameters += bytes
	}
	return sketch{kind, shape}
}

// Rows implements backend.Memory.
func (l *ledger) Rows(t backend.Tensor, lo, hi int) backend.Tensor {
	return sketch{t.Kind(), append([]int{hi - lo}, t.Shape()[1:]...)}
}

// View implements backend.Memory.
func (l *ledger) View(_ backend.Tensor, _ int, shape ...int) backend.Tensor {
	return sketch{backend.Dense, shape}
}

// Upload implements backend.Memory.
func (l *ledger) Upload(backend.Tensor, []float32) {}

// Fill implements backend.Memory.
func (l *ledger) Fill(backend.Tensor, float32) {}

// Copy implements backend.Memory.
func (l *ledger) Copy(_, _ backend.Tensor) {}

// NewConv implements backend.Planner.
func (l *ledger) NewConv(spec backend.ConvSpec, _, _ backend.Tensor) backend.Conv {
	own, shared := l.sizes.ConvSize(spec)
	l.Plans += own
	l.shared = max(l.shared, shared)
	return unusable{}
}

// unusable is a plan that exists and no more.
type unusable struct{ backend.Conv }

// NewNorm implements backend.Planner.
func (l *ledger) NewNorm(backend.NormSpec, backend.Tensor, backend.Tensor, backend.Tensor, backend.Tensor) backend.Norm {
	return nil
}

// affordable refuses a run that this machine has no memory for; where the amount isn't
// known, none.
func Affordable(dev backend.Device, c *config.Config, src feed.Sources) error {
	have := sysmem.Total()
	if c.Device.Name != "cpu" || have == 0 {
		return nil
	}
	f, known, err := NewFootprint(dev, *c, src)
	if err != nil || !known || float64(f.Total()) <= have {
		return err
	}
	path, most := "model.width", f.Parameters+f.Plans
	if f.Activations > most {
		path, most = "train.batch", f.Activations
	}
	if f.Buffer > most {
		path = "sampler.buffer"
	}
	return &settings.Error{Faults: []settings.Fault{{Path: path, Problem: fmt.Sprintf(
		"the run needs %.0f GiB of memory, this machine has %.0f GiB: lower %s", float64(f.Total())/(1<<30), have/(1<<30), path)}}}
}
