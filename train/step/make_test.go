package step

import (
	"slices"
	"testing"

	"jem/backend"
	"jem/comm"
	"jem/feed/feedtest"
)

// The moving average begins at the initial weights, not at what was there before them.
func TestTheAverageStartsAtTheWeights(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Optim.EMA = 0.9
	dev := open(t, 1)
	s, err := New(dev, cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(from backend.Tensor) []float32 {
		v := make([]float32, s.Net.Params.Len())
		if err := dev.Download(v, from); err != nil {
			t.Fatal(err)
		}
		return v
	}
	weights := read(s.Net.Params.Value)
	if !slices.Equal(read(s.EMA.Value), weights) {
		t.Error("the average differs from the weights")
	}
	if slices.Max(weights) == 0 {
		t.Error("the weights are not initialised")
	}
}
