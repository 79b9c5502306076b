package experiments

import (
	"fmt"
	"strings"
)

// markdown is the result as a page to commit.
func (r *Result) markdown() ([]byte, error) {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# %s\n\n%s. `%s`\n\n**%s**\n", r.Title, r.Where, r.Command, r.Label)
	if r.Panels != nil {
		p("![%s](%s)\n\n%s\n", r.Panels.Title, r.file("", "png"), r.Panels.Caption)
	}
	if claims := alone(r.Claims); len(claims) > 0 {
		p("| claim | at this scale | |\n|---|---|---|")
		for _, c := range claims {
			p("| %s | **%s** | %s |", cell(c.Text), c.Verdict, cell(c.Figures))
		}
		p("")
	}
	if rows := against(r.Claims); len(rows) > 0 {
		markdownTable(&b, rows)
		p("")
	}
	for _, t := range r.Tables {
		p("## %s\n", t.Title)
		markdownTable(&b, t.grid())
		if legend := t.legend(); legend != "" {
			p("\n%s", legend)
		}
		p("")
		for _, m := range t.missing() {
			p("- %s", m)
		}
		if len(t.missing()) > 0 {
			p("")
		}
	}
	for _, c := range r.Charts {
		p("![%s](%s)\n\n%s\n", c.Title, r.file(c.Name, "png"), c.Caption)
	}
	for _, c := range r.Pictures {
		p("![%s](%s)\n\n%s: %s\n", c.Title, r.file(c.Name, "png"), c.Title, c.Caption)
	}
	p("## Protocol\n")
	for _, s := range r.notes() {
		p("- %s", s)
	}
	p("\n## Runs\n")
	markdownTable(&b, r.runGrid())
	for _, n := range r.runNotes() {
		p("\n- %s", n)
	}
	return []byte(b.String()), nil
}

// runGrid is the table of the runs, the head first.
func (r *Result) runGrid() [][]string {
	all := [][]string{{"run", "what", "data", "network", "K", "steps", "seed", "state", "rollbacks", "hours", "device", "differs from the recipe in"}}
	for _, f := range r.Runs {
		hours := ""
		if f.State != stateNotRun {
			hours = fmt.Sprintf("%.2f", f.Hours)
		}
		all = append(all, []string{f.Run, f.About, f.Data, f.Network, some(f.SGLD), some(f.Steps), fmt.Sprint(f.Seed), f.State, some(f.Restarts), hours, f.Device,
			f.Recipe + ": " + strings.Join(f.Options, " ")})
	}
	return all
}

// runNotes are the runs' notes about their data, each once.
func (r *Result) runNotes() []string {
	seen := map[string]bool{}
	var all []string
	for _, f := range r.Runs {
		for _, n := range f.Notes {
			if !seen[n] {
				seen[n] = true
				all = append(all, n)
			}
		}
	}
	return all
}

func markdownTable(b *strings.Builder, rows [][]string) {
	for i, row := range rows {
		for j := range row {
			fmt.Fprintf(b, "| %s ", cell(row[j]))
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
}

// cell keeps text within a cell.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }
