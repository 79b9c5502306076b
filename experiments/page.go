package experiments

import (
	"fmt"
	"strings"

	"jem/internal/report"
)

// page is the result as one HTML file.
func (r *Result) page() ([]byte, error) {
	d := report.Data{Title: r.Title, Subtitle: r.Where + " · " + r.Command + " · " + r.Label, Summary: r.summary(), Config: r.runGroups()}
	if r.Panels != nil {
		png, err := r.Panels.PNG()
		if err != nil {
			return nil, err
		}
		d.Pictures = append(d.Pictures, report.Picture{Title: r.Panels.Title, Caption: r.Panels.Caption, PNG: png})
	}
	if claims := alone(r.Claims); len(claims) > 0 {
		t := report.Table{Title: "What is claimed", Head: []string{"claim", "at this scale", "figures"}}
		for _, c := range claims {
			t.Rows = append(t.Rows, []string{c.Text, c.Verdict, c.Figures})
		}
		d.Tables = append(d.Tables, t)
	}
	if rows := against(r.Claims); len(rows) > 0 {
		d.Tables = append(d.Tables, report.Table{Title: "Against each rival", Head: rows[0], Rows: rows[1:]})
	}
	for _, t := range r.Tables {
		grid := t.grid()
		d.Tables = append(d.Tables, report.Table{Title: t.Title, Caption: t.legend(), Head: grid[0], Rows: grid[1:]})
		if missing := t.missing(); len(missing) > 0 {
			m := report.Table{Title: "Not run", Head: []string{"reason"}}
			for _, reason := range missing {
				m.Rows = append(m.Rows, []string{reason})
			}
			d.Tables = append(d.Tables, m)
		}
	}
	for _, p := range r.Pictures {
		d.Pictures = append(d.Pictures, report.Picture{Title: p.Title, Caption: p.Caption, PNG: p.PNG})
	}
	for _, c := range r.Charts {
		d.Charts = append(d.Charts, report.Chart{Chart: c.Chart, Caption: c.Caption})
	}
	protocol := report.Table{Title: "Protocol", Head: []string{"how it was measured"}}
	for _, s := range r.notes() {
		protocol.Rows = append(protocol.Rows, []string{s})
	}
	d.Tables = append(d.Tables, protocol)
	return report.Render(d)
}

// summary are the numbers to be seen first.
func (r *Result) summary() []report.Fact {
	hours, trained, shown := 0.0, 0, 0
	for _, f := range r.Runs {
		if f.State != stateNotRun {
			hours, trained = hours+f.Hours, trained+1
		}
	}
	for _, c := range r.Claims {
		if c.Verdict == shows {
			shown++
		}
	}
	return []report.Fact{
		{Name: "scale", Value: string(r.Scale)},
		{Name: "claims that show", Value: fmt.Sprintf("%d of %d", shown, len(r.Claims))},
		{Name: "runs trained", Value: fmt.Sprintf("%d of %d", trained, len(r.Runs)), Note: "shared with other tables"},
		{Name: "training", Value: fmt.Sprintf("%.2f h", hours)},
	}
}

// runGroups are the runs with all that is known of them.
func (r *Result) runGroups() (all []report.Group) {
	for _, f := range r.Runs {
		g := report.Group{Name: fmt.Sprintf("%s, seed %d", f.Run, f.Seed), Facts: []report.Fact{
			{Name: "what", Value: f.About}, {Name: "state", Value: f.State}, {Name: "data", Value: f.Data}, {Name: "network", Value: f.Network},
			{Name: "steps", Value: fmt.Sprint(f.Steps)}, {Name: "recipe", Value: f.Recipe}, {Name: "differs in", Value: strings.Join(f.Options, " ")},
		}}
		if f.SGLD > 0 {
			g.Facts = append(g.Facts, report.Fact{Name: "SGLD steps", Value: fmt.Sprint(f.SGLD)})
		}
		if f.State != stateNotRun {
			g.Facts = append(g.Facts, report.Fact{Name: "rollbacks", Value: fmt.Sprint(f.Restarts)}, report.Fact{Name: "hours", Value: fmt.Sprintf("%.2f", f.Hours)}, report.Fact{Name: "device", Value: f.Device})
		}
		for _, n := range f.Notes {
			g.Facts = append(g.Facts, report.Fact{Name: "note", Value: n})
		}
		all = append(all, g)
	}
	return all
}
