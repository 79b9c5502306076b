package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"jem/internal/fault"
	"jem/train/replay"
)

// checkedFigures are recorded figures beside their repetition.
type checkedFigures struct {
	File    string          `json:"file"`
	Passed  bool            `json:"passed"`
	Bound   float64         `json:"tolerance"` // on the relative error
	Figures []replay.Figure `json:"figures"`
}

// checkFigures computes the figures of a golden file again. No device takes part.
func checkFigures(c *cli.Context, m *replay.Metrics) error {
	figures, err := m.Check()
	if err != nil {
		return &fault.Error{Kind: fault.ErrBad, Reason: "check golden figures", Err: err}
	}
	r := checkedFigures{File: m.Name, Passed: true, Bound: replay.MetricTolerance, Figures: figures}
	rows, wrong := []string{"FIGURE\tVALUE\tWANT\tRELATIVE ERROR\t"}, 0
	for _, f := range figures {
		verdict := "ok"
		if !f.OK {
			verdict, r.Passed = "FAILED", false
			wrong++
		}
		rows = append(rows, fmt.Sprintf("%s\t%.10g\t%.10g\t%.2g\t%s", escape(f.Entry), f.Value, f.Want, f.Relative, verdict))
	}
	if c.Bool("json") {
		err = printJSON(c, r)
	} else {
		err = printTable(c, rows...)
	}
	if err == nil && !r.Passed {
		err = fmt.Errorf("%w: %d of %d figures differ", errFailed, wrong, len(figures))
	}
	return err
}
