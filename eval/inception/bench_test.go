package inception

import (
	"testing"

	"jem/backend/cpu"
)

// BenchmarkRun is the network on a full batch, resizing included.
func BenchmarkRun(b *testing.B) {
	w, err := fold(state())
	if err != nil {
		b.Fatal(err)
	}
	dev, err := cpu.Open(cpu.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer dev.Close()
	n := New(dev, w, TensorFlow)
	defer n.Close()
	batch := make([]float32, Batch*3*32*32)
	for i, v := range images() {
		batch[i] = v
	}
	macs := 0.0
	for _, s := range n.stages {
		for _, c := range s.convs {
			macs += c.Spec().MACs(1)
		}
	}
	for b.Loop() {
		if _, err := n.Run(batch, 3, 32); err != nil {
			b.Fatal(err)
		}
	}
	perSecond := float64(b.N*Batch) / b.Elapsed().Seconds()
	b.ReportMetric(perSecond, "img/s")
	b.ReportMetric(2*macs*perSecond/1e9, "GFLOP/s")
}
