package experiments

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"jem/internal/durable"
)

// writeIndex writes tables/README.md: every claim with its verdict, then each experiment that has
// been written, with its command, hours and seeds.
func writeIndex(l *Lab) error {
	dir := filepath.Join(l.Out, "tables")
	var all []Result
	for _, e := range All() {
		var r Result
		err := readKept(filepath.Join(dir, e.ID+".json"), &r, "remove it, and jem reproduce "+e.ID+" writes it anew")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil
	}
	return durable.WriteFile(filepath.Join(dir, "README.md"), []byte(overview(all)))
}

func overview(all []Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Reproduction, scale %s\n\n**%s**\n\n", all[0].Scale, all[0].Label)
	for _, verdict := range []struct{ key, title string }{
		{shows, "What shows at this scale"}, {doesNotShow, "What does not show"}, {tooClose, "What is too close to tell"}, {notMeasured, "What was not measured"},
	} {
		rows := [][]string{{"claim", "figures", "experiment"}}
		for _, r := range all {
			for _, c := range r.Claims {
				if c.Verdict == verdict.key {
					rows = append(rows, []string{c.sentence(), c.Figures, link(r)})
				}
			}
		}
		if len(rows) > 1 {
			fmt.Fprintf(&b, "## %s\n\n", verdict.title)
			markdownTable(&b, rows)
			b.WriteString("\n")
		}
	}
	rows := [][]string{{"experiment", "what", "command", "runs", "seeds", "hours of training"}}
	for _, r := range all {
		hours, trained, seeds := 0.0, 0, map[uint64]bool{}
		for _, f := range r.Runs {
			if f.State != stateNotRun {
				hours, trained, seeds[f.Seed] = hours+f.Hours, trained+1, true
			}
		}
		rows = append(rows, []string{link(r), r.Title, "`" + r.Command + "`", fmt.Sprintf("%d of %d", trained, len(r.Runs)), some(len(seeds)), fmt.Sprintf("%.2f", hours)})
	}
	b.WriteString("## Experiments\n\nRuns are shared: their hours count for every table that uses them.\n\n")
	markdownTable(&b, rows)
	return b.String()
}

func link(r Result) string { return fmt.Sprintf("[%s](%s.md)", r.ID, r.ID) }
