package train

import (
	"jem/internal/picture"
	"jem/internal/rundir"
	"jem/internal/tboard"
)

// Kinds of records in metrics.jsonl, besides the names of splits for evaluations.
const (
	kindTrain    = "train"
	kindNote     = "note"
	kindSaved    = "checkpoint"
	kindDiverged = "diverged"
)

// gridPerClass is how many chains of each class a sample grid shows, the most confident.
const gridPerClass = 10

// journal is the Observer that fills a run folder: metrics, events for TensorBoard,
// sample grids, the report.
type journal struct {
	dir     *rundir.Dir
	events  *tboard.Writer
	every   int
	last    int
	classes []string
	window  window
}

func newJournal(dir *rundir.Dir, cfg Config, classes []string, total int) (*journal, error) {
	events, err := tboard.Create(string(dir.Path), 0)
	return &journal{dir: dir, events: events, every: cfg.Train.LogEvery, last: total, classes: classes}, err
}

func (j *journal) close() error {
	if j.events == nil {
		return nil
	}
	return j.events.Close()
}

// Step implements Observer. Of the steps since the last record the means are recorded.
func (j *journal) Step(rec *Record) error {
	j.window.add(rec)
	if rec.Step%j.every != 0 && rec.Step != 1 && rec.Step != j.last {
		return nil
	}
	v := j.window.means()
	v["epoch"], v["images"], v["lr"] = float64(rec.Epoch), float64(rec.Images), float64(rec.LR)
	return j.log(rundir.Record{Step: rec.Step, Kind: kindTrain, Values: v})
}

// Evaluated implements Observer.
func (j *journal) Evaluated(step int, a Accuracy) error {
	return j.log(rundir.Record{Step: step, Kind: a.Split, Text: a.String(), Values: map[string]float64{
		"accuracy": a.Accuracy, "loss": a.Loss, "log_px": a.LogPx, "images": float64(a.Images), "noise": float64(a.Noise),
	}})
}

// Sampled implements Observer.
func (j *journal) Sampled(step int, s *Samples) error {
	img, err := s.Draw(j.classes, gridPerClass)
	if err != nil {
		return err
	}
	png, err := picture.PNG(img)
	if err != nil {
		return err
	}
	if err := picture.WritePNG(j.dir.Sample(step), img); err != nil {
		return err
	}
	return j.events.Image("samples", step, png)
}

// Saved implements Observer.
func (j *journal) Saved(step int, path string) error {
	if err := j.dir.Log(rundir.Record{Step: step, Kind: kindSaved, Text: path}); err != nil {
		return err
	}
	return WriteReport(j.dir.Path)
}

// Note implements Observer.
func (j *journal) Note(step int, text string) error {
	return j.dir.Log(rundir.Record{Step: step, Kind: kindNote, Text: text})
}

func (j *journal) diverged(e *DivergedError) error {
	j.window = window{}
	j.window.add(&e.Record)
	return j.dir.Log(rundir.Record{Step: e.Step, Kind: kindDiverged, Text: e.Reason, Values: j.window.means()})
}

// log writes a record to the metrics and its values to the events.
func (j *journal) log(rec rundir.Record) error {
	if err := j.dir.Log(rec); err != nil {
		return err
	}
	for name, v := range rec.Values {
		if err := j.events.Scalar(rec.Kind+"/"+name, rec.Step, v); err != nil {
			return err
		}
	}
	return nil
}

// window adds up what steps showed.
type window struct {
	steps int
	sums  map[string]float64
}

func (w *window) add(r *Record) {
	if w.sums == nil {
		w.sums = map[string]float64{}
	}
	w.steps++
	for name, v := range map[string]float64{
		"loss": r.L, "p_x": r.PX, "p_y_given_x": r.PYX, "p_x_y": r.PXY, "l2": r.L2,
		"log_px_pos": r.LogPxPos, "log_px_neg": r.LogPxNeg, "gap": r.Gap(),
		"accuracy": r.Accuracy, "grad_norm": r.GradNorm,
		"step_seconds": r.Seconds(), "sgld_seconds": r.SampleSeconds,
	} {
		w.sums[name] += v
	}
}

// means returns the means and empties the window.
func (w *window) means() map[string]float64 {
	m := w.sums
	for name := range m {
		m[name] /= float64(w.steps)
	}
	*w = window{}
	return m
}
