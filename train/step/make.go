package step

import (
	"errors"
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/philox"
	"jem/comm"
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
	Net       *model.Network
	JEM       *model.JEM
	Buffer    *sampler.ReplayBuffer // nil without chains
	Optimizer optim.Optimizer
	EMA       *optim.EMA // nil when off
	Batch     *Batch     // of the present step

	cfg       config.Config
	now       config.Config // of the present step, see train.schedule
	dev       backend.Device
	src       feed.Sources
	ranks     *ranks
	sum       *summation        // nil for one rank
	gathered  backend.Tensor    // Dense (N,C·H·W): chains of all ranks; nil for one
	batches   map[string]*Batch // by their parts
	coupled   *model.JEM        // JEM with the batch's own statistics
	curricula map[model.Role]*Curriculum
	keys      keys
	scalar    backend.Tensor // Dense (1)
	away      backend.Tensor // the weights, while worse ones are in their place; nil without sharpness-aware steps
	pixels    []float32      // of a step's chains, on the host
}

// keys are the streams of random numbers that training steps draw from, and pictures.
type keys struct{ labels, chain, drop, starts, moves, shown philox.Key }

// newKeys are the same for all ranks but for dropout, whose masks each has of its own.
func newKeys(seed uint64, rank int) keys {
	return keys{
		labels: philox.New(seed, 0, philox.Labels),
		chain:  philox.New(seed, 0, philox.ChainNoise),
		drop:   philox.New(seed, uint32(rank), philox.DropMask),
		starts: philox.New(seed, 0, philox.NegativeStart),
		moves:  philox.New(seed, 0, philox.NegativeMove),
		shown:  philox.New(seed, 0, philox.SampleNoise),
	}
}

// New builds network, buffer and optimiser on the device, for this rank of those that take each step
// together: cfg is of them all, the streams of src give this rank's share of each batch. The
// configuration must be valid; Affordable tells beforehand whether there is memory for it.
func New(dev backend.Device, cfg config.Config, src feed.Sources, c comm.Comm) (*Step, error) {
	if ever := cfg.Ever(); len(ever.Parts()) == 0 {
		return nil, errors.New("all weights of the objective are 0: nothing to train")
	}
	if err := Shareable(&cfg, c.Size()); err != nil {
		return nil, err
	}
	s, err := plan(dev, cfg, src, c)
	if err != nil {
		return nil, err
	}
	s.Net.Params.Init(dev, cfg.Seed)
	if cfg.Model.Centre {
		s.centre()
	}
	if s.EMA != nil {
		s.EMA.Start()
	}
	if err := s.newBuffer(); err != nil {
		return nil, err
	}
	s.scalar = dev.New(backend.Dense, 1)
	return s, nil
}

// centre has the classes' biases begin at −log K: logits near 0 then have LogSumExp near 0.
func (s *Step) centre() {
	if bias, ok := s.Net.Params.Get("class_output.bias"); ok {
		s.dev.Fill(bias.Value, -float32(math.Log(float64(s.Net.Config.Classes))))
		s.dev.ParamsChanged()
	}
}

// plan is New without the values, of weights and of chains, and so without the replay buffer.
// On a device that takes no memory it takes next to none of the host, whatever the size.
func plan(dev backend.Device, cfg config.Config, src feed.Sources, c comm.Comm) (*Step, error) {
	s := &Step{cfg: cfg, now: cfg, dev: dev, src: src, ranks: &ranks{Comm: c}, keys: newKeys(cfg.Seed, c.Rank()), batches: map[string]*Batch{}, curricula: begun(cfg.Ever())}
	network, ever := cfg.Network(len(src.Classes), src.Channels, src.Size), cfg.Ever()
	var err error
	if s.Net, err = model.Plan(dev, network, max(samples(ever.Parts())/c.Size(), feed.EvalBatch)); err != nil {
		return nil, err
	}
	s.Batch = s.batchOf(&ever)
	s.Batch.weigh(dev, cfg.Loss())
	s.coupled = model.NewJEM(dev, s.Net)
	s.coupled.Mode.Norm = backend.BatchStats
	s.JEM = model.NewJEM(dev, s.Net)
	p := s.Net.Params
	if s.Optimizer, err = optim.New(cfg.Optim.Name, dev, p.Value, p.Grad, cfg.Hyper()); err != nil {
		return nil, err
	}
	if ever.SAM.Rho > 0 {
		s.away = dev.New(backend.Dense, p.Len())
	}
	if cfg.Optim.EMA > 0 {
		s.EMA = optim.NewEMA(dev, p.Value, cfg.Optim.EMA)
	}
	if c.Size() > 1 {
		s.share()
	}
	return s, nil
}

// batchOf is the batch with the parts of a configuration.
func (s *Step) batchOf(c *config.Config) *Batch {
	parts := fmt.Sprint(c.Parts())
	b, ok := s.batches[parts]
	if !ok {
		b = newBatch(s.dev, c, s.Net.Config, s.ranks.Rank(), s.ranks.Size())
		s.batches[parts] = b
	}
	return b
}

// buffered is the shape of the replay buffer, Dense; nil if the objective has no chains.
func (s *Step) buffered() []int {
	if !s.cfg.HasChains() {
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
	if stream == nil || !s.cfg.Draws(config.StreamData) {
		stream = s.src.Labeled
	}
	return max(1, stream.StepsPerEpoch())
}

// TotalSteps is the number of steps of the whole run.
func (s *Step) TotalSteps() int { return s.cfg.TotalSteps(s.StepsPerEpoch()) }

func (s *Step) epoch(step int) int { return step / s.StepsPerEpoch() }
