package step

import (
	"math"
	"testing"

	"jem/comm"
	"jem/feed/feedtest"
)

// Every change of what a run consists of changes the hash.
func TestHashSeesEveryTensor(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Model.Norm, cfg.Optim.EMA = "batch", 0.9
	dev := open(t, 1)
	s, err := New(dev, cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	look := func() uint64 {
		h, err := s.Hash()
		if err != nil {
			t.Fatal(err)
		}
		seen[h] = true
		return h
	}
	before, places := look(), 1
	for _, tensor := range s.state() {
		v := values(t, s, tensor)
		for _, i := range []int{0, len(v) / 2, len(v) - 1} {
			was := v[i]
			v[i] = math.Float32frombits(math.Float32bits(was) ^ 1)
			dev.Upload(tensor, v)
			look()
			places++
			v[i] = was
		}
		dev.Upload(tensor, v)
	}
	if len(seen) != places || look() != before {
		t.Errorf("%d hashes of %d states", len(seen), places)
	}
}
