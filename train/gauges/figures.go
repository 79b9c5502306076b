package gauges

import (
	"maps"
	"runtime"
	"slices"
	"time"

	"jem/internal/prom"
	"jem/train/step"
)

// width is over how many of the last steps figures of steps are means: those of one step are of a small batch.
const width = 20

// figures are what is known of a run.
type figures struct {
	running   bool
	begun     time.Time  // of this start
	moved     time.Time  // the last step's end; begun before the first
	step      int        // taken
	last      []moment   // up to width+1 of them, of steps in a row
	seconds   [4]float64 // of phases
	exchange  float64    // of seconds, waiting for other ranks
	rollbacks int
	notes     int

	saved       *saved // nil: no checkpoint yet
	evaluations map[string]evaluation
}

// moment is a step as it ended.
type moment struct {
	at time.Time
	step.Record
}

type saved struct {
	step int
	at   time.Time
}

type evaluation struct {
	step           int
	accuracy, loss float64
}

// phases are the parts of a step, as seconds has them.
var phases = [4]string{"data", "sample", "gradient", "update"}

func (f *figures) take(now time.Time, r *step.Record) {
	f.step, f.moved = r.Step, now
	for i, s := range [4]float64{r.DataSeconds, r.SampleSeconds, r.GradientSeconds, r.UpdateSeconds} {
		f.seconds[i] += s
	}
	f.exchange += r.ExchangeSeconds
	f.last = append(f.last, moment{now, *r})
	f.last = f.last[max(0, len(f.last)-width-1):]
}

// goBack forgets steps that were given up.
func (f *figures) goBack(to int) {
	f.step, f.last, f.rollbacks = to, nil, f.rollbacks+1
}

// mean is that of a figure over the last steps; nothing before the first.
func (f *figures) mean(of func(*step.Record) float64) []float64 {
	last := f.last[max(0, len(f.last)-width):]
	if len(last) == 0 {
		return nil
	}
	sum := 0.0
	for i := range last {
		sum += of(&last[i].Record)
	}
	return []float64{sum / float64(len(last))}
}

// rate is the number of steps a second, with all that came between them; nothing before the second.
func (f *figures) rate() []float64 {
	n := len(f.last) - 1
	if n < 1 {
		return nil
	}
	if took := f.last[n].at.Sub(f.last[0].at).Seconds(); took > 0 {
		return []float64{float64(n) / took}
	}
	return nil
}

// text is the figures as Prometheus reads them.
func (b *Board) text() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return prom.Text(b.families())
}

// families are all figures. Names and units stand in docs/metrics.md.
func (b *Board) families() []prom.Family {
	f, run := &b.shown, prom.Label{Name: "run", Value: b.o.Run}
	of := func(kind prom.Kind, name, help string, values ...float64) prom.Family {
		all := prom.Family{Name: "jem_" + name, Help: help, Kind: kind}
		for _, v := range values {
			all.Samples = append(all.Samples, prom.Sample{Labels: []prom.Label{run}, Value: v})
		}
		return all
	}
	gauge := func(name, help string, values ...float64) prom.Family { return of(prom.Gauge, name, help, values...) }
	about := gauge("build_info", "What trains: the value is 1.", 1)
	about.Samples[0].Labels = append(about.Samples[0].Labels, prom.Label{Name: "version", Value: b.o.Version},
		prom.Label{Name: "goversion", Value: runtime.Version()}, prom.Label{Name: "device", Value: b.o.Device})
	all := []prom.Family{
		about,
		gauge("running", "1 while it trains; 0 once it has ended. A process that was killed leaves 1 in its file.", share(f.running)),
		gauge("start_time_seconds", "When this start began, seconds since 1970.", seconds(f.begun)),
		gauge("ranks", "Processes that take each step together.", float64(max(1, b.o.Ranks))),
		gauge("step", "Training steps taken; a rollback takes some back.", float64(f.step)),
		gauge("planned_steps", "Training steps of the whole run.", float64(b.o.Steps)),
		gauge("last_step_timestamp_seconds", "When the last step ended, or before the first this start began, seconds since 1970.", seconds(f.moved)),
		gauge("steps_per_second", "Over the last 20 steps, with all that came between them.", f.rate()...),
		gauge("loss_nats", "What is minimised, mean over the last 20 steps.", f.mean(func(r *step.Record) float64 { return r.L })...),
		gauge("gap_nats", "f(x+) - f(x-), by how much data score higher than samples, mean over the last 20 steps.", f.mean((*step.Record).Gap)...),
		gauge("training_accuracy_ratio", "Of the labelled training images, mean over the last 20 steps.", f.mean(func(r *step.Record) float64 { return r.Accuracy })...),
		gauge("gradient_norm", "L2 norm of the gradient before clipping, mean over the last 20 steps.", f.mean(func(r *step.Record) float64 { return r.GradNorm })...),
		of(prom.Counter, "exchange_seconds_total", "Seconds of this start's steps that went into waiting for other ranks; they are part of some phase, too.", f.exchange),
		of(prom.Counter, "rollbacks_total", "Returns to a checkpoint after a divergence, since the run began.", float64(f.rollbacks)),
		of(prom.Counter, "notes_total", "Sentences for the user in this start: jem status shows the last ones.", float64(f.notes)),
	}
	return append(append(all, f.parts(run)...), f.events(run)...)
}

// parts are the seconds of steps by what they went into.
func (f *figures) parts(run prom.Label) []prom.Family {
	all := prom.Family{Name: "jem_step_seconds_total", Help: "Seconds of this start's steps, by what they went into.", Kind: prom.Counter}
	for i, name := range phases {
		all.Samples = append(all.Samples, prom.Sample{Labels: []prom.Label{run, {Name: "phase", Value: name}}, Value: f.seconds[i]})
	}
	return []prom.Family{all}
}

// events are what the last checkpoint and the last evaluations were, as far as there are some.
func (f *figures) events(run prom.Label) []prom.Family {
	all := []prom.Family{
		{Name: "jem_checkpoint_step", Help: "Training steps in the last checkpoint.", Kind: prom.Gauge},
		{Name: "jem_checkpoint_timestamp_seconds", Help: "When it was saved, seconds since 1970.", Kind: prom.Gauge},
		{Name: "jem_evaluation_step", Help: "Training steps at the last evaluation.", Kind: prom.Gauge},
		{Name: "jem_evaluation_accuracy_ratio", Help: "Share of right answers in it.", Kind: prom.Gauge},
		{Name: "jem_evaluation_loss_nats", Help: "Cross-entropy in it.", Kind: prom.Gauge},
	}
	add := func(i int, v float64, labels ...prom.Label) {
		all[i].Samples = append(all[i].Samples, prom.Sample{Labels: labels, Value: v})
	}
	if f.saved != nil {
		add(0, float64(f.saved.step), run)
		add(1, seconds(f.saved.at), run)
	}
	for _, split := range slices.Sorted(maps.Keys(f.evaluations)) {
		e, of := f.evaluations[split], prom.Label{Name: "split", Value: split}
		add(2, float64(e.step), run, of)
		add(3, e.accuracy, run, of)
		add(4, e.loss, run, of)
	}
	return all
}

func share(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds is a time as Prometheus has them.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
