package step

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/philox"
	"jem/comm"
	"jem/comm/mem"
	"jem/config"
	"jem/config/settings"
	"jem/feed"
	"jem/feed/feedtest"
)

// outcome is what one rank has after some steps.
type outcome struct {
	records        []Record
	params, buffer []float32
	stats          []float32
	hash           uint64
	err            error
}

// rankSources are toy images in streams of different lengths, so that no two give the same batch for long.
func rankSources(c *config.Config) feed.Sources {
	src := feedtest.ToySources(c.Train.Labeled())
	src.PX = feedtest.Training{Toy: feedtest.Toy{N: 48, StepBatch: c.Train.Batch}}
	src.Outliers = feedtest.Training{Toy: feedtest.Toy{N: 40, StepBatch: c.Train.Batch}}
	src.Start, src.Gaussian = classy{}, classy{}
	return src
}

// classy begins at another place for each class, and each row of a list.
type classy struct{}

// Fill implements sampler.Start.
func (classy) Fill(dst []float32, classes []int32, key philox.Key) {
	key.FillUniform(dst, -0.5, 0.5)
	n := len(dst) / len(classes)
	for i := range dst {
		dst[i] += 0.1 * float32(classes[i/n])
	}
}

// together has so many ranks take steps, each on a device of its own.
func together(t *testing.T, cfg config.Config, ranks, steps int) []outcome {
	t.Helper()
	all := make([]outcome, ranks)
	comms := []comm.Comm{comm.Local{}}
	if ranks > 1 {
		comms = mem.New(ranks, time.Minute)
	}
	var done sync.WaitGroup
	for rank, c := range comms {
		dev := open(t, 1)
		done.Go(func() { all[rank] = taken(dev, cfg, c, steps) })
	}
	done.Wait()
	for rank, o := range all {
		if o.err != nil {
			t.Fatalf("rank %d of %d: %v", rank, ranks, o.err)
		}
	}
	return all
}

func taken(dev backend.Device, cfg config.Config, c comm.Comm, steps int) (o outcome) {
	s, err := New(dev, cfg, rankSources(&cfg).Share(c.Rank(), c.Size()), c)
	if err != nil {
		return outcome{err: err}
	}
	if s.sum != nil {
		s.sum.bucket = 10007 // eight of them, which end within layers
	}
	for i := range steps {
		r, err := s.Take(At{Step: i}, nil)
		if err != nil {
			return outcome{err: fmt.Errorf("step %d: %w", i, err)}
		}
		r.DataSeconds, r.SampleSeconds, r.GradientSeconds, r.UpdateSeconds, r.ExchangeSeconds = 0, 0, 0, 0, 0
		o.records = append(o.records, r)
	}
	read := func(t backend.Tensor) []float32 {
		v := make([]float32, backend.Len(t))
		if failed := dev.Download(v, t); failed != nil {
			o.err = failed
		}
		return v
	}
	o.params = read(s.Net.Params.Value)
	if s.Buffer != nil {
		o.buffer = read(s.Buffer.Images)
	}
	for _, v := range s.Net.Stats {
		o.stats = append(o.stats, read(v.Value)...)
	}
	if o.hash, err = s.Hash(); err != nil {
		o.err = err
	}
	return o
}

// rankCounts are how many ranks take the steps of a test.
func rankCounts() []int {
	if testing.Short() { // under the race detector
		return []int{2}
	}
	return []int{2, 4}
}

// rankRecipes are one of each family, whose parts, moves and starts can be shared in wrong ways of their own. Their
// networks are linear up to norms (a slope of 1): a LeakyReLU unit that rounding takes across 0, of which a
// step has a million, would change a gradient by what no bound on roundings tells.
func rankRecipes() map[string]config.Config {
	all := map[string]config.Config{}
	add := func(name string, change func(*config.Config)) {
		c := feedtest.ToyConfig()
		c.Sampler.Buffer, c.Sampler.Reinit = 12, 0.3 // some slots are drawn twice, some chains begin anew
		c.Model.Slope = 1
		c.Optim.Name, c.Optim.LR, c.Optim.Momentum = "sgd", 0.05, 0.9
		change(&c)
		all[name] = c
	}
	attack := config.Negative{Start: "labeled", Label: "labeled", Climb: "cross_entropy", Move: "sign", Steps: 2, StepSize: 0.1, Keep: "linf", Radius: 0.1, Scatter: true}
	dream := config.Negative{Start: "outliers", Label: "uniform", Climb: "logit", Move: "langevin", Steps: 1, MaxSteps: 3, AUC: 0.01, Window: 1, StepSize: 0.5, Noise: 0.05, Gaussians: 0.4, Keep: "box"}
	add("jem", func(c *config.Config) { c.Optim.EMA, c.Optim.ClipNorm = 0.9, 0.5 })
	add("adam", func(c *config.Config) { c.Optim.Name, c.Optim.LR = "adam", 1e-3 })
	add("joint", func(c *config.Config) { c.Objective.PXY, c.Objective.ClassCond = 0.5, true })
	add("shared", func(c *config.Config) { c.Data.SharedStream = true })
	add("labels", func(c *config.Config) { c.Train.LabeledBatch = 16 })
	add("attacked", func(c *config.Config) { c.Objective.Attacked, c.Objective.AttackedPX, c.Attack = 0.5, 0.1, attack })
	add("dreams", func(c *config.Config) {
		c.Objective, c.Dream = config.Objective{BCE: 1, PYX: 1, Attacked: 0.5}, dream
		c.Attack = attack
		c.Attack.Start, c.Attack.Move, c.Attack.Keep, c.Attack.Radius = "uniform", "unit", "l2", 0.5
		c.Attack.Label = "data"
	})
	add("gaussians", func(c *config.Config) {
		c.Objective, c.Dream = config.Objective{BCE: 1, PYX: 1}, dream
		c.Dream.Start, c.Dream.Climb = "gaussian", "log_px"
	})
	add("sharp", func(c *config.Config) { c.SAM = config.SAM{Rho: 0.05, Adaptive: true, Every: 2} })
	add("layer", func(c *config.Config) { c.Model.Norm = "layer" })
	add("phased", func(c *config.Config) {
		c.Objective.Attacked, c.Attack = 1, attack
		c.Train.Schedule = []string{"objective.attacked 0@0 0@1 1@2", "objective.p_x 1@2 0@3"}
	})
	return all
}

// Two orders of a float32 sum are at most 4·u·Σ|terms| apart, u = 2⁻²⁴ (docs/numerics.md), and here terms of a gradient sum to
// 1 or so (GradNorm is below 6): it is off by 2.4e-7·6 at most. Momentum 0.9 makes that ten times as much, the
// rate 0.05, over 5 steps: 4e-6. Losses and gradients' norms follow as their gradients say, of which the norm is again 6
// at most; what has been seen is 3e-7.
const (
	rankSteps  = 5
	rankParams = 4e-6
	rankLoss   = 6 * rankParams
)

// Ranks together do what one does, but for rounding, and each of them has the same bits afterwards.
func TestRanksFollowOne(t *testing.T) {
	for name, cfg := range rankRecipes() {
		t.Run(name, func(t *testing.T) {
			one := together(t, cfg, 1, rankSteps)[0]
			for _, ranks := range rankCounts() {
				all := together(t, cfg, ranks, rankSteps)
				replicas(t, all)
				follows(t, all[0], one, adamOf(cfg))
			}
		})
	}
}

// adamOf is how much more than by SGD a parameter may be off: Adam divides a gradient element by its own
// size, so that those near 0 move by lr·(what rounding makes of them), and none by more than lr a step.
func adamOf(cfg config.Config) float64 {
	if cfg.Optim.Name == "adam" {
		return rankSteps * float64(cfg.Optim.LR) / rankParams
	}
	return 1
}

func follows(t *testing.T, got, want outcome, times float64) {
	t.Helper()
	for i, r := range got.records {
		w := want.records[i]
		for name, v := range map[string][2]float64{
			"L": {r.L, w.L}, "gradient's norm": {r.GradNorm, w.GradNorm}, "log p(x⁺)": {r.LogPxPos, w.LogPxPos},
			"log p(x⁻)": {r.LogPxNeg, w.LogPxNeg}, "sharpness": {r.Sharpness, w.Sharpness},
		} {
			if !(math.Abs(v[0]-v[1]) <= times*rankLoss) {
				t.Errorf("step %d: %s %.9g, of one rank %.9g", i, name, v[0], v[1])
			}
		}
		if r.Accuracy != w.Accuracy || r.Moves != w.Moves || r.LR != w.LR || !maps.Equal(r.AUC, w.AUC) {
			t.Errorf("step %d: %+v, of one rank %+v", i, r, w)
		}
	}
	for name, v := range map[string][2][]float32{"parameter": {got.params, want.params}, "pixel of the buffer": {got.buffer, want.buffer}} {
		for i := range v[0] {
			if d := math.Abs(float64(v[0][i] - v[1][i])); !(d <= times*rankParams) {
				t.Fatalf("%s %d is %g, of one rank %g", name, i, v[0][i], v[1][i])
			}
		}
	}
}

// replicas asserts that all ranks have the same bits.
func replicas(t *testing.T, all []outcome) {
	t.Helper()
	first := all[0]
	for rank, o := range all[1:] {
		if o.hash != first.hash || !slices.Equal(o.params, first.params) || !slices.Equal(o.buffer, first.buffer) || !slices.Equal(o.stats, first.stats) || !reflect.DeepEqual(o.records, first.records) {
			t.Errorf("rank %d has other bits than rank 0", rank+1)
		}
	}
}

// Where the ranks' numbers can't be those of one, dropout masks and batch norms' statistics, and whatever LeakyReLU
// makes of rounding, all ranks still have the same bits, and have them again.
func TestRanksAreReplicas(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"batch norm": func(c *config.Config) { c.Model.Norm, c.Sampler.BatchStats = "batch", true },
		"frozen":     func(c *config.Config) { c.Model.Norm, c.Train.FrozenStats = "batch", true },
		"sharp": func(c *config.Config) {
			c.Model.Norm, c.SAM = "batch", config.SAM{Rho: 0.05, Every: 1}
		},
		"dropout": func(c *config.Config) { c.Model.Dropout = 0.3 },
		"wild":    func(c *config.Config) { c.Optim.LR, c.Optim.EMA = 0.01, 0.9 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := feedtest.ToyConfig()
			change(&cfg)
			for _, ranks := range rankCounts() {
				all := together(t, cfg, ranks, rankSteps)
				replicas(t, append(all, together(t, cfg, ranks, rankSteps)...))
				if one := together(t, cfg, 1, rankSteps)[0]; one.hash == all[0].hash {
					t.Error("one rank has the same bits: nothing was added in another order")
				}
			}
		})
	}
}

// Running means are linear in the images, so those of the first norm, before which samples don't meet, are after a step
// what one rank's are, but for rounding (sums of 2,048 values of size 1: below 1e-6); a share's variance has less in it.
func TestRunningStatisticsAreMeansOverRanks(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Model.Norm = "batch"
	one := together(t, cfg, 1, 1)[0].stats
	for _, ranks := range rankCounts() {
		got := together(t, cfg, ranks, 1)[0].stats
		for i := range 16 {
			if !(math.Abs(float64(got[i]-one[i])) < 1e-6) || !(got[16+i] < 1.1*one[16+i]) || !(got[16+i] > 0.5*one[16+i]) {
				t.Errorf("%d ranks: channel %d has mean %g and variance %g, of one rank %g and %g", ranks, i, got[i], got[16+i], one[i], one[16+i])
			}
		}
	}
}

// Of what is random, dropout masks alone are each rank's own.
func TestRanksHaveMasksOfTheirOwn(t *testing.T) {
	a, b := newKeys(1, 0), newKeys(1, 1)
	if a.drop == b.drop {
		t.Error("two ranks drop the same units")
	}
	if b.drop = a.drop; a != b {
		t.Error("other streams than that of masks differ")
	}
}

// Over 50 steps the loss stays within 1e-5 of one rank's; 1e-6 has been seen. That is no law: it holds as long as nothing
// makes more of rounding than the network's own derivatives, see rankRecipes, and with Adam, which divides small
// gradients by their size, 2e-4 has been seen.
func TestRanksFollowOneFor50Steps(t *testing.T) {
	steps := 50
	if testing.Short() {
		steps = 10
	}
	cfg := rankRecipes()["jem"]
	one := together(t, cfg, 1, steps)[0]
	for _, ranks := range rankCounts() {
		all := together(t, cfg, ranks, steps)
		replicas(t, all)
		for i, r := range all[0].records {
			if want := one.records[i].L; !(math.Abs(r.L-want) < 1e-5) {
				t.Fatalf("%d ranks, step %d: L = %.9g, of one rank %.9g", ranks, i, r.L, want)
			}
		}
	}
}

// One rank's wish to stop reaches all with the step, and so do the chains that strayed on one.
func TestRanksLearnWhatOneKnows(t *testing.T) {
	const ranks = 2
	comms := mem.New(ranks, time.Minute)
	var done sync.WaitGroup
	for rank, c := range comms {
		dev := open(t, 1)
		done.Go(func() {
			cfg := feedtest.ToyConfig()
			cfg.Sampler.Reinit, cfg.Sampler.Clamp = 0, false
			s, err := New(dev, cfg, rankSources(&cfg).Share(rank, ranks), c)
			if err != nil {
				t.Error(err)
				return
			}
			for i, want := range []bool{false, true, false} {
				r, err := s.Take(At{Step: i, Stop: want && rank == 1}, nil)
				if err != nil || r.Stop != want {
					t.Errorf("rank %d, step %d: stop %v, want %v (%v)", rank, i, r.Stop, want, err)
				}
			}
			if rank == 1 {
				dev.Fill(s.Buffer.Images, float32(math.NaN()))
			}
			var strayed *StrayedError
			if _, err := s.Take(At{Step: 3}, nil); !errors.As(err, &strayed) || strayed.Reason != "a chain has a pixel of NaN" {
				t.Errorf("rank %d: %v, want a chain that strayed", rank, err)
			}
		})
	}
	done.Wait()
}

func TestBatchesThatRanksCantShareAreRefused(t *testing.T) {
	for _, tc := range []struct {
		batch, labeled, ranks int
		want                  string
	}{
		{64, 0, 1, ""}, {64, 0, 4, ""}, {64, 128, 32, ""},
		{64, 0, 3, "train.batch: 64, which 3 ranks can't share evenly: set it to 63 or 66, or start as many ranks as divide it"},
		{2, 0, 4, "train.batch: 2, which 4 ranks can't share evenly: set it to 4, or start as many ranks as divide it"},
		{64, 90, 4, "train.labeled_batch: 90, which 4 ranks can't share evenly: set it to 88 or 92, or start as many ranks as divide it"},
	} {
		cfg := feedtest.ToyConfig()
		cfg.Train.Batch, cfg.Train.LabeledBatch = tc.batch, tc.labeled
		got := ""
		if err := Shareable(&cfg, tc.ranks); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%+v: %q", tc, got)
		}
	}
	cfg := feedtest.ToyConfig()
	_, err := New(open(t, 1), cfg, feedtest.ToySources(cfg.Train.Batch), mem.New(3, time.Second)[0])
	if refused := (*settings.Error)(nil); !errors.As(err, &refused) {
		t.Errorf("a step of 3 ranks: %v", err)
	}
}
