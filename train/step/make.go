package step

import (
	"errors"

	"jem/backend"
	"jem/backend/philox"
	"jem/config"
	"jem/feed"
	"jem/model"
	"jem/optim"
	"jem/sampler"
)

// Step is what one step of training needs, and all that it changes: network, replay buffer,
// optimiser, moving average. Which step is taken is its callers' to say, whether its numbers
// may move the weights, too. It belongs to one goroutine, its device's.
type Step struct {
	Net       *model.WideResNet
	JEM       *model.JEM
	Buffer    *sampler.ReplayBuffer // nil without chains
	Optimizer optim.Optimizer
	EMA       *optim.EMA // nil when off
	Batch     *Batch

	cfg        config.Config
	dev        backend.Device
	src        feed.Sources
	objective  model.Objective
	sgld       sampler.SGLD
	moves      [2]*sampler.Chains // for log p(x) and log p(x,y)
	schedule   optim.Schedule
	keys       keys
	sumSquares backend.Tensor
	pixels     []float32 // of a step's chains, on the host
}

// keys are the streams of random numbers that training steps draw from.
type keys struct{ labels, chain, drop philox.Key }

func newKeys(seed uint64) keys {
	return keys{
		labels: philox.New(seed, 0, philox.Labels),
		chain:  philox.New(seed, 0, philox.ChainNoise),
		drop:   philox.New(seed, 0, philox.DropMask),
	}
}

// New builds network, buffer and optimiser on the device. The configuration must be
// valid; Affordable tells beforehand whether there is memory for it.
func New(dev backend.Device, cfg config.Config, src feed.Sources) (*Step, error) {
	if len(cfg.Parts()) == 0 {
		return nil, errors.New("all weights of the objective are 0: nothing to train")
	}
	s, err := plan(dev, cfg, src)
	if err != nil {
		return nil, err
	}
	s.schedule = cfg.Schedule(s.TotalSteps())
	s.Net.Params.Init(dev, cfg.Seed)
	if s.EMA != nil {
		s.EMA.Start()
	}
	if err := s.newBuffer(); err != nil {
		return nil, err
	}
	s.sumSquares = dev.New(backend.Dense, 1)
	return s, nil
}

// plan is New without the values, of weights and of chains, and so without the replay buffer.
// On a device that takes no memory it takes next to none of the host, whatever the size.
func plan(dev backend.Device, cfg config.Config, src feed.Sources) (*Step, error) {
	s := &Step{cfg: cfg, dev: dev, src: src, keys: newKeys(cfg.Seed), objective: cfg.Loss(), sgld: cfg.SGLD()}
	network := cfg.Network(len(src.Classes), src.Channels, src.Size)
	s.Batch = newBatch(dev, cfg.Parts(), s.objective, network)
	var err error
	if s.Net, err = model.Plan(dev, network, max(len(s.Batch.hostLabels), feed.EvalBatch)); err != nil {
		return nil, err
	}
	s.JEM = model.NewJEM(dev, s.Net)
	p := s.Net.Params
	if s.Optimizer, err = optim.New(cfg.Optim.Name, dev, p.Value, p.Grad, cfg.Hyper()); err != nil {
		return nil, err
	}
	if cfg.Optim.EMA > 0 {
		s.EMA = optim.NewEMA(dev, p.Value, cfg.Optim.EMA)
	}
	return s, nil
}

// buffered is the shape of the replay buffer, Dense; nil if the objective has no chains.
func (s *Step) buffered() []int {
	if s.Batch.Part(model.ChainPX|model.ChainXY) < 0 {
		return nil
	}
	n := s.Net.Config
	return []int{s.cfg.Sampler.Buffer, n.InC * n.Size * n.Size}
}

// newBuffer makes the replay buffer if there is to be one.
func (s *Step) newBuffer() (err error) {
	shape := s.buffered()
	if shape == nil {
		return nil
	}
	s.Buffer, err = sampler.NewReplayBuffer(s.dev, sampler.BufferConfig{
		Size: shape[0], Classes: s.Net.Config.Classes, Reinit: s.cfg.Sampler.Reinit, Seed: s.cfg.Seed,
	}, shape[1], s.cfg.Train.Batch, s.src.Start)
	return err
}

// StepsPerEpoch is the number of steps an epoch takes.
func (s *Step) StepsPerEpoch() int {
	stream := s.src.PX
	if stream == nil || s.Batch.Part(model.DataPX) < 0 {
		stream = s.src.Labeled
	}
	return max(1, stream.StepsPerEpoch())
}

// TotalSteps is the number of steps of the whole run.
func (s *Step) TotalSteps() int { return s.cfg.TotalSteps(s.StepsPerEpoch()) }

func (s *Step) epoch(step int) int { return step / s.StepsPerEpoch() }
