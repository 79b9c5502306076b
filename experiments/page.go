package experiments

import "jem/internal/report"

// page is the result as one HTML file.
func (r *Result) page() ([]byte, error) {
	d := report.Data{Title: r.Title, Subtitle: r.Where + " · " + r.Command + " · " + r.Label}
	if len(r.Claims) > 0 {
		t := report.Table{Title: "What the paper claims", Head: []string{"claim", "at this scale", "figures"}}
		for _, c := range r.Claims {
			t.Rows = append(t.Rows, []string{c.Text, c.Verdict, c.Figures})
		}
		d.Tables = append(d.Tables, t)
	}
	for _, t := range r.Tables {
		grid := t.grid()
		d.Tables = append(d.Tables, report.Table{Title: t.Title, Caption: "Ours (the paper's, difference). " + t.Caption, Head: grid[0], Rows: grid[1:]})
		if missing := t.missing(); len(missing) > 0 {
			m := report.Table{Title: "Not run", Head: []string{"figure and reason"}}
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
	for _, s := range append(r.Protocol, quotesAreUnread) {
		protocol.Rows = append(protocol.Rows, []string{s})
	}
	runs := r.runGrid()
	d.Tables = append(d.Tables, protocol, report.Table{Title: "Runs", Head: runs[0], Rows: runs[1:]})
	return report.Render(d)
}
