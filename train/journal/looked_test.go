package journal

import (
	"fmt"
	"os"
	"testing"
	"time"

	"jem/internal/rundir"
)

// However long a report takes, reports take no more than their share of the time.
func TestReportsTakeTheirShareOfTheTime(t *testing.T) {
	for _, cost := range []time.Duration{time.Millisecond, 100 * time.Millisecond, 10 * time.Second} {
		begun := time.Now()
		p := pages{begun: begun}
		written, now := 0, begun
		for range 10_000 {
			now = now.Add(time.Second)
			if p.due(now) {
				written++
				p.spent, p.last, now = p.spent+cost, cost, now.Add(cost)
			}
		}
		share := float64(p.spent) / float64(now.Sub(begun))
		if want := int(100 * time.Second / cost); written < 1 || written < min(want, 10_000)*9/10 || share > reportShare*1.01 && written > 1 {
			t.Errorf("%v: %d reports took %.4f of the time", cost, written, share)
		}
	}
}

// BenchmarkReport measures what a report takes, by the number of records.
func BenchmarkReport(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := recorded(b, n)
			for b.Loop() {
				if _, err := Report(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// recorded is a folder with the metrics of so many steps.
func recorded(b *testing.B, n int) rundir.Path {
	p := rundir.Path(b.TempDir())
	var lines []byte
	for i := range n {
		values := map[string]float64{}
		for _, name := range []string{"loss", "accuracy", "gap", "p_x", "p_y_given_x", "log_px_data", "log_px_samples", "grad_norm", "lr", "step_seconds", "sample_seconds", "gradient_seconds"} {
			values[name] = float64(i) / 7
		}
		line, err := rundir.Record{Time: time.Now(), Step: i + 1, Kind: KindTrain, Values: values}.MarshalJSON()
		if err != nil {
			b.Fatal(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := os.WriteFile(p.Metrics(), lines, 0o644); err != nil {
		b.Fatal(err)
	}
	return p
}
