package train

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"jem/internal/settings"
)

// footprint is a floor of the memory that a run takes, in bytes: weights with gradient and
// optimiser, one activation and one gradient a block for a batch, the replay buffer. What a
// run takes in fact is up to twice that.
func (c *Config) footprint(channels, side int) (total float64, largest string) {
	blocks := float64(c.Model.Depth-4) / 6
	width := float64(c.Model.Width)
	var weights, maps float64
	for stage := range 3 {
		planes := width * float64(int(16)<<stage)
		points := float64(side*side) / float64(int(1)<<(2*stage))
		weights += blocks * 2 * 9 * planes * planes
		maps += blocks * planes * points
	}
	parts := []struct {
		path  string
		bytes float64
	}{
		{"model.width", 4 * 4 * weights},
		{"train.batch", 4 * 2 * maps * float64(max(c.Train.Batch, EvalBatch))},
		{"sampler.buffer", 4 * float64(c.Sampler.Buffer) * float64(channels*side*side)},
	}
	most := 0.0
	for _, p := range parts {
		total += p.bytes
		if p.bytes > most {
			most, largest = p.bytes, p.path
		}
	}
	return total, largest
}

// affordable refuses a run that this machine has no memory for; where the amount isn't known,
// none.
func (c *Config) affordable(channels, side int) error {
	have := totalMemory()
	need, largest := c.footprint(channels, side)
	if c.Device.Name != "cpu" || have == 0 || need <= have {
		return nil
	}
	return &settings.Error{Faults: []settings.Fault{{Path: largest, Problem: fmt.Sprintf(
		"the run needs at least %.0f GiB of memory, this machine has %.0f GiB: lower %s", need/(1<<30), have/(1<<30), largest)}}}
}

// totalMemory is the machine's memory in bytes as Linux tells it, 0 elsewhere.
func totalMemory() float64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) < 2 || string(f[0]) != "MemTotal:" {
			continue
		}
		kib, err := strconv.ParseFloat(string(f[1]), 64)
		if err != nil {
			return 0
		}
		return kib * 1024
	}
	return 0
}
