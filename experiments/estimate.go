package experiments

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"jem/backend"
	"jem/bench/timing"
	"jem/config"
	"jem/model"
)

// gauge is the network whose speed estimates are made from: small enough to be timed in seconds, wide
// enough to keep a device busy.
func gauge() config.Config {
	c := config.Default()
	c.Model.Depth, c.Model.Width = 10, 4
	c.Train.Batch, c.Sampler.Steps, c.Sampler.Buffer = 8, 1, 100
	return c
}

// estimate is the rate of a configuration whose convolutions run at the gauge's speed. A wider network's
// run somewhat faster.
func (r *rates) estimate(l *Lab, dev backend.Device, c config.Config) (rate, error) {
	if r.speed == 0 {
		r.warn(l)
		b, err := timing.Measure(l.ctx, dev, gauge(), 3, 32, 10, 1)
		if err != nil {
			return rate{}, err
		}
		r.speed = 1e9 * b.GFLOPS
	}
	found := rate{Device: dev.Name(), Key: rateKey(c)}
	for _, p := range c.Parts() { // forward, and both gradients
		found.Gradient += 3 * forwardWork(c) / r.speed
		if p.Role&(model.ChainPX|model.ChainXY) != 0 {
			found.SGLD += 2 * forwardWork(c) / r.speed
		}
	}
	for _, n := range c.Negatives() { // those of a curriculum at its longest
		found.Gradient += 2 * float64(max(n.Steps, n.MaxSteps)) * forwardWork(c) / r.speed
	}
	return found, nil
}

// busy is the share of its cores above which a machine counts as one that does other things, too.
const busy = 0.5

// warn tells once that a machine on which something is timed has other work.
func (r *rates) warn(l *Lab) {
	if r.warned {
		return
	}
	r.warned = true
	if load, cores := loadOf("/proc/loadavg"), runtime.NumCPU(); load > busy*float64(cores) {
		l.Tell(fmt.Sprintf("this machine is busy: %.1f processes want its %d cores; rates are those of a busy machine", load, cores))
	}
}

// loadOf is the mean number of processes of the last minute that run or want to; 0 where the system
// doesn't tell.
func loadOf(path string) (load float64) {
	text, err := os.ReadFile(path)
	if err == nil {
		_, _ = fmt.Fscan(strings.NewReader(string(text)), &load) // 0 for what is no number
	}
	return load
}
