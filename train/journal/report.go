package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"jem/internal/chart"
	"jem/internal/report"
	"jem/internal/rundir"
)

// Report writes report.html from what is in a run folder.
func Report(p rundir.Path) error {
	records, err := rundir.ReadMetrics(p.Metrics())
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	envs, err := rundir.ReadEnv(p.Env())
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	config, err := os.ReadFile(p.Config())
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	settings, err := report.Settings(config)
	if err != nil {
		return fmt.Errorf("report: %s: %w", p.Config(), err)
	}
	pictures, err := samplePictures(p)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	h := history(records)
	current := h.current()
	d := report.Data{
		Title:    filepath.Base(string(p)),
		Summary:  current.summary(),
		Notes:    h.notes(),
		Charts:   current.charts(),
		Pictures: pictures,
		Config:   settings,
	}
	if len(envs) > 0 {
		d.Subtitle = fmt.Sprintf("Joint energy-based model, started %s on %s", envs[0].Start.Format("2006-01-02 15:04 MST"), envs[0].Device)
		d.Env = []report.Group{environment(envs[len(envs)-1])}
	}
	return report.Write(p.Report(), d)
}

// history is the records of a run.
type history []rundir.Record

// current leaves out what was recorded of steps that rollbacks gave up.
func (h history) current() history {
	var kept history
	for _, r := range h {
		if r.Kind == kindRollback {
			kept = slices.DeleteFunc(kept, func(k rundir.Record) bool { return k.Step > int(r.Values["to"]) && k.Kind != kindRollback })
		}
		kept = append(kept, r)
	}
	return kept
}

// line is the curve of a value over the steps.
func (h history) line(name, kind, value string) chart.Line {
	l := chart.Line{Name: name}
	for _, r := range h {
		if v, ok := r.Values[value]; ok && r.Kind == kind {
			l.Add(float64(r.Step), v)
		}
	}
	return l
}

// latest is the last record of a kind.
func (h history) latest(kind string) (rundir.Record, bool) {
	for _, r := range slices.Backward(h) {
		if r.Kind == kind {
			return r, true
		}
	}
	return rundir.Record{}, false
}

func (h history) count(kind string) (n int) {
	for _, r := range h {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

func (h history) summary() []report.Fact {
	var facts []report.Fact
	add := func(name, note, format string, v ...any) {
		facts = append(facts, report.Fact{Name: name, Value: fmt.Sprintf(format, v...), Note: note})
	}
	for _, split := range []string{"test", "valid"} {
		if r, ok := h.latest(kindEval + split); ok {
			add(split+" accuracy", fmt.Sprintf("%.0f images, pixel noise %.2g", r.Values["images"], r.Values["noise"]), "%.2f %%", 100*r.Values["accuracy"])
		}
	}
	r, ok := h.latest(kindTrain)
	if !ok {
		return facts
	}
	add("steps", "", "%d", r.Step)
	add("log p(x⁺) − log p(x⁻)", "data minus samples", "%.3f", r.Values["gap"])
	add("seconds a step", fmt.Sprintf("%.0f %% of them sampling", 100*r.Values["sample_seconds"]/r.Values["step_seconds"]), "%.3f", r.Values["step_seconds"])
	if n := h.count(kindRollback); n > 0 {
		add("rollbacks", "returns to a checkpoint after a divergence, see the notes", "%d", n)
	}
	add("duration", "", "%s", h[len(h)-1].Time.Sub(h[0].Time).Round(1e9))
	return facts
}

func (h history) notes() []report.Note {
	var notes []report.Note
	for _, r := range h {
		if r.Text != "" {
			notes = append(notes, report.Note{Step: r.Step, Kind: r.Kind, Text: r.Text})
		}
	}
	return notes
}

func (h history) charts() []report.Chart {
	chart := func(title, unit, caption string, lines ...chart.Line) report.Chart {
		lines = slices.DeleteFunc(lines, func(l chart.Line) bool { return len(l.X) == 0 })
		return report.Chart{Chart: chart.Chart{Title: title, XLabel: "step", YLabel: unit, Lines: lines}, Caption: caption}
	}
	charts := []report.Chart{
		chart("Accuracy", "share", "Of the labelled training batches, and of the evaluations.",
			h.line("training", kindTrain, "accuracy"), h.line("valid", kindEval+"valid", "accuracy"), h.line("test", kindEval+"test", "accuracy")),
		chart("Cross-entropy", "nats", "", h.line("training", kindTrain, "p_y_given_x"), h.line("valid", kindEval+"valid", "loss"), h.line("test", kindEval+"test", "loss")),
		chart("Log-density", "log p(x), up to log Z", "Mean LogSumExp of the logits on data x⁺ and on samples x⁻.",
			h.line("data", kindTrain, "log_px_data"), h.line("samples", kindTrain, "log_px_samples")),
		chart("f(x⁺) − f(x⁻)", "nats", "Near zero the samples are as likely as data; a steady climb announces divergence.", h.line("", kindTrain, "gap")),
		chart("Gradient norm", "", "", h.line("", kindTrain, "grad_norm")),
		chart("Learning rate", "", "", h.line("", kindTrain, "lr")),
		chart("Seconds a step", "s", "", h.line("all", kindTrain, "step_seconds"), h.line("sampling", kindTrain, "sample_seconds"), h.line("gradients", kindTrain, "gradient_seconds")),
	}
	return slices.DeleteFunc(charts, func(c report.Chart) bool { return len(c.Lines) == 0 })
}

// samplePictures are the initial draws and the latest samples.
func samplePictures(p rundir.Path) ([]report.Picture, error) {
	files, err := sampleFiles(p)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	show := []string{files[0]}
	if len(files) > 1 {
		show = append(show, files[len(files)-1])
	}
	var out []report.Picture
	for i := len(show) - 1; i >= 0; i-- {
		b, err := os.ReadFile(show[i])
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, describe(show[i], b))
	}
	return out, nil
}

// sampleFiles are a run's sample grids, in the order of their steps. The folder is listed, not
// matched: a run's name may hold what is a pattern elsewhere.
func sampleFiles(p rundir.Path) ([]string, error) {
	entries, err := os.ReadDir(p.Samples())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, e := range entries { // sorted by name, whose digits are as many
		if _, known := sampleStep(e.Name()); known {
			files = append(files, filepath.Join(p.Samples(), e.Name()))
		}
	}
	return files, err
}

// sampleStep is the step that a sample grid's file name stands for.
func sampleStep(name string) (step int, known bool) {
	digits, known := strings.CutPrefix(name, "step-")
	digits, png := strings.CutSuffix(digits, ".png")
	step, err := strconv.Atoi(digits)
	return step, known && png && err == nil
}

func describe(file string, png []byte) report.Picture {
	step, _ := sampleStep(filepath.Base(file))
	if step == 0 {
		return report.Picture{Title: "Initial draws", Caption: "What chains start from, one class of the buffer a row.", PNG: png}
	}
	return report.Picture{
		Title:   fmt.Sprintf("Samples at step %d", step),
		Caption: "Chains of the replay buffer, one row for each class that the model sees in them: ten at random.",
		PNG:     png,
	}
}

func environment(e rundir.Env) report.Group {
	revision := e.Revision
	if e.Modified {
		revision += ", modified"
	}
	return report.Group{Facts: []report.Fact{
		{Name: "device", Value: e.Device}, {Name: "processor", Value: e.CPU}, {Name: "cores", Value: strconv.Itoa(e.Cores)},
		{Name: "system", Value: e.OS + "/" + e.Arch}, {Name: "Go", Value: e.Go}, {Name: "revision", Value: revision},
		{Name: "command", Value: strings.Join(e.Command, " ")},
	}}
}
