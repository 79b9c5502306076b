package main

import (
	"fmt"
	"math"
	"time"

	"github.com/schollz/progressbar/v3"
	"go.uber.org/zap"

	"jem/predict"
	"jem/train"
	"jem/train/step"
)

// watch is the train.Observer for people: a progress bar on a terminal, else a log line
// at each metrics record.
type watch struct {
	screen   *screen
	every    int
	total    int
	begin    time.Time
	first    int           // step at begin
	each     time.Duration // of the steps since then, the mean, with what comes between them; of the first, its own
	accuracy float64       // of training batches, smoothed
}

func newWatch(s *screen, every, total int) *watch {
	return &watch{screen: s, every: every, total: total}
}

// smoothing is the weight of a new batch in the accuracy that the bar shows: batches are
// small, so it averages over some 20 of them.
const smoothing = 0.05

// Step implements train.Observer.
func (w *watch) Step(r *step.Record) error {
	if w.begin.IsZero() {
		w.begin, w.first, w.accuracy = time.Now(), r.Step, r.Accuracy
		w.each = time.Duration(r.Seconds() * float64(time.Second))
		w.screen.start(int64(w.total), progressbar.OptionSetPredictTime(false)) // which counts steps of earlier starts
	} else {
		w.each = time.Since(w.begin) / time.Duration(r.Step-w.first)
	}
	w.accuracy += smoothing * (r.Accuracy - w.accuracy)
	if w.screen.shows {
		w.screen.set(int64(r.Step), fmt.Sprintf("training accuracy %4.1f %%  gap %+6.3f  %.3g s/step  %s left ", 100*w.accuracy, r.Gap(), w.each.Seconds(), w.left(r.Step)))
		return nil
	}
	if r.Step%w.every == 0 || r.Step == w.total {
		w.screen.log.Info("step", zap.Int("step", r.Step), zap.Int("of", w.total), zap.Float64("loss", round(r.L)),
			zap.Float64("train_accuracy", round(w.accuracy)), zap.Float64("gap", round(r.Gap())),
			zap.Float64("step_seconds", round(r.Seconds())), zap.Stringer("left", w.left(r.Step)))
	}
	return nil
}

// left estimates the remaining time.
func (w *watch) left(step int) time.Duration {
	return (w.each * time.Duration(w.total-step)).Round(time.Second)
}

// round keeps four digits after the point: log lines are for reading.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// Evaluated implements train.Observer.
func (w *watch) Evaluated(step int, a *predict.Judgement) error {
	w.screen.log.Info(a.String(), zap.Int("step", step), zap.String("split", a.Split), zap.Int("images", a.Images),
		zap.Float64("accuracy", round(a.Accuracy.Accuracy)), zap.Float64("loss", round(a.Loss)))
	return nil
}

// Sampled implements train.Observer.
func (w *watch) Sampled(step int, s *predict.Samples) error {
	w.screen.log.Debug("sample grid", zap.Int("step", step), zap.Int("chains", len(s.Class)))
	return nil
}

// Saved implements train.Observer.
func (w *watch) Saved(step int, path string) error {
	w.screen.log.Info("checkpoint", zap.Int("step", step), zap.String("path", path))
	return nil
}

// RolledBack implements train.Observer.
func (w *watch) RolledBack(d *train.DivergedError, r train.Rollback) error {
	w.begin = time.Time{} // the estimate of what is left starts anew
	w.screen.log.Warn("diverged, going back", zap.Int("step", r.At), zap.Int("to", r.To), zap.String("reason", r.Reason))
	return nil
}

// Note implements train.Observer.
func (w *watch) Note(step int, text string) error {
	w.screen.log.Warn(text)
	return nil
}
