package train

import (
	"testing"
	"time"

	"jem/comm"
	"jem/config"
	"jem/feed"
)

// large is the run whose state is saved.
func large(b *testing.B, threads int) *Trainer {
	b.Helper()
	c := config.Default()
	c.Train.Batch, c.Sampler.Steps = 2, 1
	tr, err := New(open(b, threads), c, feed.Noise(c.Train.Batch, c.Train.Labeled(), 3, 32, 10), comm.Local{})
	if err != nil {
		b.Fatal(err)
	}
	return tr
}

// What a rank of several does besides before each save and every 100 steps, with a thread of its own: it hashes
// what it holds of the same state.
func BenchmarkDigest(b *testing.B) {
	tr := large(b, 1)
	for b.Loop() {
		if _, err := tr.digest(); err != nil {
			b.Fatal(err)
		}
	}
}

// How long saving keeps training from its next step, and how long until the checkpoint is on the disk: of
// WRN-28-10 with Adam and a buffer of 10,000, 561 MB, with a copy of the state and without.
func BenchmarkSave(b *testing.B) {
	tr := large(b, 2)
	tr.reserve() // as Run does
	for name, room := range map[string]bool{"copied": true, "written": false} {
		b.Run(name, func(b *testing.B) {
			if tr.room = room && tr.room; tr.room != room {
				b.Skip(tr.Waits())
			}
			defer func(before bool) { tr.room = before }(true)
			k, r := newShelf(b), &recorder{}
			var stall, longest, durable time.Duration
			for b.Loop() {
				if err := tr.advance(b.Context(), r, nil); err != nil { // so that there is something to save
					b.Fatal(err)
				}
				begin := time.Now()
				if err := tr.save(r, k); err != nil {
					b.Fatal(err)
				}
				took := time.Since(begin)
				if err := tr.arrive(r); err != nil {
					b.Fatal(err)
				}
				b.Logf("%v until the next step, %v until it is on the disk", took, time.Since(begin))
				stall, longest, durable = stall+took, max(longest, took), durable+time.Since(begin)
			}
			b.ReportMetric(stall.Seconds()/float64(b.N), "s-stall")
			b.ReportMetric(longest.Seconds(), "s-longest")
			b.ReportMetric(durable.Seconds()/float64(b.N), "s-durable")
		})
	}
}
