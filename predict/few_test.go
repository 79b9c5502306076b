package predict

import (
	"slices"
	"testing"

	"jem/backend/cpu"
	"jem/config"
	"jem/model"
)

// A network that takes two images at once draws five, the first two as one that takes more.
func TestFewAtOnceDrawMany(t *testing.T) {
	dev, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	c := model.Config{Network: model.MLP, Depth: 1, Width: 8, Classes: 3, InC: 2, Size: 2, Slope: 0.2}
	var first []float32
	for _, few := range []int{5, 2} {
		net, err := model.New(dev, c, few, 1)
		if err != nil {
			t.Fatal(err)
		}
		p := &Predictor{Config: config.Default(), dev: dev, net: net, eval: newEvaluator(dev, net, few)}
		p.Config.Sampler.Start = "uniform"
		var drawn []float32
		if err := p.Draw(t.Context(), SampleOptions{N: 5, Steps: 1, Fresh: true, Class: EachClass, Seed: 2}, func(images, _ []float32) error {
			drawn = append(drawn, images...)
			return nil
		}); err != nil || len(drawn) != 5*c.Pixels() || p.AtOnce() != few {
			t.Fatalf("%d numbers, %d at once, %v", len(drawn), p.AtOnce(), err)
		}
		if two := drawn[:2*c.Pixels()]; first == nil {
			first = two
		} else if !slices.Equal(two, first) {
			t.Errorf("the first two are %v, of one that takes more %v", two, first)
		}
	}
}
