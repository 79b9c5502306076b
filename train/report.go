package train

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"jem/internal/picture"
	"jem/internal/report"
	"jem/internal/rundir"
)

// reportPictures is how many sample grids a report shows, from first to last.
const reportPictures = 4

// WriteReport writes report.html of a run folder from what else is in it, whether the run
// goes on, is done or has failed.
func WriteReport(run rundir.Path) error {
	records, err := rundir.ReadMetrics(run.Metrics())
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	d := report.Data{Title: "Run " + filepath.Base(string(run))}
	for _, fill := range []func() error{
		func() error { return addSettings(&d, run) },
		func() error { return addPictures(&d, run) },
	} {
		if err := fill(); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	d.Summary, d.Charts = summary(records), charts(records)
	for _, r := range records {
		if r.Kind == kindNote || r.Kind == kindDiverged {
			d.Notes = append(d.Notes, report.Note{Step: r.Step, Kind: r.Kind, Text: r.Text})
		}
	}
	return report.Write(run.Report(), d)
}

// addSettings adds the configuration and what the run ran on.
func addSettings(d *report.Data, run rundir.Path) error {
	text, err := os.ReadFile(run.Config())
	if err != nil {
		return err
	}
	if d.Config, err = report.Settings(text); err != nil {
		return err
	}
	starts, err := rundir.ReadEnv(run.Env())
	if err != nil {
		return err
	}
	for _, e := range starts {
		d.Env = append(d.Env, report.Group{Name: "started " + e.Start.UTC().Format(time.RFC3339), Facts: []report.Fact{
			{Name: "device", Value: e.Device}, {Name: "processor", Value: e.CPU}, {Name: "cores", Value: fmt.Sprint(e.Cores)},
			{Name: "system", Value: e.OS + "/" + e.Arch}, {Name: "go", Value: e.Go}, {Name: "revision", Value: e.Revision},
		}})
	}
	if len(starts) > 0 {
		d.Subtitle = starts[0].Device + ", " + starts[0].Start.UTC().Format("2 January 2006 15:04 UTC")
	}
	return nil
}

// addPictures adds sample grids, evenly spread from the first to the last.
func addPictures(d *report.Data, run rundir.Path) error {
	entries, err := os.ReadDir(run.Samples())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	n := min(len(entries), reportPictures)
	for i := range n {
		e := entries[i*(len(entries)-1)/max(1, n-1)]
		png, err := os.ReadFile(filepath.Join(run.Samples(), e.Name()))
		if err != nil {
			return err
		}
		d.Pictures = append(d.Pictures, report.Picture{
			Title:   e.Name(),
			Caption: fmt.Sprintf("Chains of the replay buffer by the class that the model sees in them: of each the %d of which it is surest, among up to %d chains.", gridPerClass, maxSamples),
			PNG:     png,
		})
	}
	return nil
}

// summary is what is to be seen first.
func summary(records []rundir.Record) []report.Fact {
	var facts []report.Fact
	for _, split := range []string{"test", "valid"} {
		if rs := ofKind(records, split); len(rs) > 0 {
			best := slices.MaxFunc(rs, func(a, b rundir.Record) int { return cmp.Compare(a.Values["accuracy"], b.Values["accuracy"]) })
			last := rs[len(rs)-1]
			facts = append(facts, report.Fact{
				Name: split + " accuracy", Value: fmt.Sprintf("%.2f %%", 100*last.Values["accuracy"]),
				Note: fmt.Sprintf("on %.0f images; best %.2f %% at step %d", last.Values["images"], 100*best.Values["accuracy"], best.Step),
			})
		}
	}
	steps := ofKind(records, kindTrain)
	if len(steps) == 0 {
		return facts
	}
	last := steps[len(steps)-1]
	return append(facts,
		report.Fact{Name: "steps", Value: fmt.Sprint(last.Step), Note: fmt.Sprintf("%.3g s each", last.Values["step_seconds"])},
		report.Fact{Name: "f(x⁺) − f(x⁻)", Value: fmt.Sprintf("%+.3g", last.Values["gap"]), Note: "mean log p(x) of data less that of samples, at the end"},
	)
}

func ofKind(records []rundir.Record, kind string) []rundir.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r rundir.Record) bool { return r.Kind != kind })
}

// charts are the curves over the steps.
func charts(records []rundir.Record) []report.Chart {
	line := func(name, kind, value string) picture.Series {
		s := picture.Series{Name: name}
		for _, r := range ofKind(records, kind) {
			s.Points = append(s.Points, picture.Point{X: float64(r.Step), Y: r.Values[value]})
		}
		return s
	}
	chart := func(title, caption string, lines ...picture.Series) report.Chart {
		lines = slices.DeleteFunc(lines, func(s picture.Series) bool { return len(s.Points) == 0 })
		return report.Chart{Chart: picture.Chart{Title: title, XLabel: "step", Series: lines}, Caption: caption}
	}
	return []report.Chart{
		chart("Accuracy", "Share of images classified correctly; in training, of the labelled batch.",
			line("training batch", kindTrain, "accuracy"), line("validation", "valid", "accuracy"), line("test", "test", "accuracy")),
		chart("Cross-entropy", "−log p(y|x), mean.",
			line("training batch", kindTrain, "p_y_given_x"), line("validation", "valid", "loss"), line("test", "test", "loss")),
		chart("log p(x), up to a constant", "Mean LogSumExp of the logits. Samples and data should stay together; a growing distance announces divergence.",
			line("data x⁺", kindTrain, "log_px_pos"), line("samples x⁻", kindTrain, "log_px_neg")),
		chart("Gradient norm", "Of the loss with respect to all parameters, before clipping.", line("norm", kindTrain, "grad_norm")),
	}
}
