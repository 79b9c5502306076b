package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"jem/internal/chart"
	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/report"
	"jem/internal/rundir"
)

// Report writes report.html from what is in a run's folder, whether the run goes on or not. What
// is missing or can't be read is left out; the notes, which the page has, too, say in sentences what that
// was. The error is of writing.
func Report(p rundir.Path) (notes []string, err error) {
	d, notes := compose(p)
	for _, n := range notes {
		d.Notes = append(d.Notes, report.Note{Kind: "unreadable", Text: n})
	}
	return notes, report.Write(p.Report(), d)
}

// maxConfig bounds a config.yaml that is shown.
const maxConfig = 1 << 20

// compose reads a run's folder.
func compose(p rundir.Path) (d report.Data, notes []string) {
	tell := func(err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			notes = append(notes, err.Error())
		}
	}
	h, notes, err := ReadHistory(p)
	tell(err)
	envs, err := rundir.ReadEnv(p.Env())
	tell(err)
	config, err := durable.ReadFile(p.Config(), maxConfig)
	tell(err)
	d.Config, err = report.Settings(config)
	tell(fault.At(p.Config(), err))
	pictures, skipped := samplePictures(p)
	notes = append(notes, skipped...)
	tables, mistakes, err := byClass(p)
	tell(err)

	current := h.Current()
	d.Title, d.Summary, d.Notes, d.Charts, d.Tables, d.Pictures = title(p), current.summary(), h.notes(), current.charts(), tables, append(pictures, mistakes...)
	if len(envs) > 0 {
		d.Subtitle = fmt.Sprintf("Joint energy-based model, started %s on %s", envs[0].Start.Format("2006-01-02 15:04 MST"), envs[0].Device)
		d.Env = []report.Group{environment(envs[len(envs)-1])}
	}
	return d, notes
}

// title is the run's name.
func title(p rundir.Path) string {
	if whole, err := filepath.Abs(string(p)); err == nil {
		return filepath.Base(whole)
	}
	return filepath.Base(string(p))
}

func (h History) summary() []report.Fact {
	var facts []report.Fact
	add := func(name, note, format string, v ...any) {
		facts = append(facts, report.Fact{Name: name, Value: fmt.Sprintf(format, v...), Note: note})
	}
	for _, split := range []string{"test", "valid"} {
		if r, ok := h.latest(KindEval + split); ok {
			add(split+" accuracy", fmt.Sprintf("%.0f images, pixel noise %.2g", r.Values["images"], r.Values["noise"]), "%.2f %%", 100*r.Values["accuracy"])
		}
	}
	r, ok := h.latest(KindTrain)
	if !ok {
		return facts
	}
	add("steps", "", "%d", r.Step)
	if len(h.term("", "gap").X) > 0 {
		add("log p(x⁺) − log p(x⁻)", "data minus samples", "%.3f", r.Values["gap"])
	}
	add("seconds a step", fmt.Sprintf("%.0f %% of them sampling", 100*r.Values["sample_seconds"]/r.Values["step_seconds"]), "%.3f", r.Values["step_seconds"])
	if n := h.count(KindRollback); n > 0 {
		add("rollbacks", "returns to a checkpoint after a divergence, see the notes", "%d", n)
	}
	add("duration", "from the first record to the last, breaks included", "%s", h[len(h)-1].Time.Sub(h[0].Time).Round(1e9))
	return facts
}

// maxNotes is the number of notes that a page shows: the latest.
const maxNotes = 200

func (h History) notes() []report.Note {
	var notes []report.Note
	for _, r := range h {
		if r.Text != "" {
			notes = append(notes, report.Note{Step: r.Step, Kind: r.Kind, Text: r.Text})
		}
	}
	if more := len(notes) - maxNotes; more > 0 {
		notes = notes[more:]
		notes[0] = report.Note{Kind: kindNote, Text: fmt.Sprintf("%d earlier ones stand in metrics.jsonl", more+1)}
	}
	return notes
}

func (h History) charts() []report.Chart {
	chart := func(title, unit, caption string, lines ...chart.Line) report.Chart {
		lines = slices.DeleteFunc(lines, func(l chart.Line) bool { return len(l.X) == 0 })
		return report.Chart{Chart: chart.Chart{Title: title, XLabel: "step", YLabel: unit, Lines: lines}, Caption: caption}
	}
	charts := []report.Chart{
		chart("Accuracy", "share", "Of the labelled training batches, and of the evaluations.",
			h.Line("training", KindTrain, "accuracy"), h.Line("valid", KindEval+"valid", "accuracy"), h.Line("test", KindEval+"test", "accuracy")),
		chart("Cross-entropy", "nats", "", h.term("training", "p_y_given_x"), h.term("attacked", "attacked"), h.Line("valid", KindEval+"valid", "loss"), h.Line("test", KindEval+"test", "loss")),
		chart("Expected calibration error", "share", "Of 15 bins.", h.Line("valid", KindEval+"valid", "ece"), h.Line("test", KindEval+"test", "ece")),
		chart("Log-density", "log p(x), up to log Z", "Mean LogSumExp of the logits on data x⁺ and on samples x⁻.",
			h.term("data", "log_px_data"), h.term("samples", "log_px_samples")),
		chart("f(x⁺) − f(x⁻)", "nats", "Near zero the samples are as likely as data; a steady climb announces divergence.", h.term("", "gap")),
		chart("Data against dreams", "nats", "Binary cross-entropy of log p(x) as the logit: 1.386 is chance.", h.term("", "bce")),
		chart("Data told from moved images", "share", "Area under the curve of log p(x), by which a curriculum goes.", h.term("", "auc")),
		chart("Moves", "", "Of the images of a curriculum.", h.term("", "moves")),
		chart("Gradient norm", "", "", h.Line("", KindTrain, "grad_norm")),
		chart("Learning rate", "", "", h.Line("", KindTrain, "lr")),
		chart("Seconds a step", "s", "", h.Line("all", KindTrain, "step_seconds"), h.Line("sampling", KindTrain, "sample_seconds"), h.Line("gradients", KindTrain, "gradient_seconds")),
	}
	return slices.DeleteFunc(charts, func(c report.Chart) bool { return len(c.Lines) == 0 })
}

// term is the line of a training metric that only some recipes have: none where it is 0 throughout.
func (h History) term(label, name string) chart.Line {
	l := h.Line(label, KindTrain, name)
	if !slices.ContainsFunc(l.Y, func(v float64) bool { return v != 0 }) {
		return chart.Line{}
	}
	return l
}

func environment(e rundir.Env) report.Group {
	revision := e.Revision
	if e.Modified {
		revision += ", modified"
	}
	g := report.Group{Facts: []report.Fact{
		{Name: "device", Value: e.Device}, {Name: "processor", Value: e.CPU}, {Name: "cores", Value: strconv.Itoa(e.Cores)},
		{Name: "system", Value: e.OS + "/" + e.Arch}, {Name: "Go", Value: e.Go}, {Name: "revision", Value: revision},
		{Name: "command", Value: strings.Join(e.Command, " ")},
	}}
	if e.Ranks > 1 {
		g.Facts = append(g.Facts, report.Fact{Name: "ranks", Value: fmt.Sprintf("%d, by %s", e.Ranks, e.Engine)})
	}
	return g
}
