package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/internal/fault"
	"jem/train/replay"
)

// replayed is a recorded step beside its repetition.
type replayed struct {
	Device string       `json:"device"`
	Info   backend.Info `json:"info"`
	Passed bool         `json:"passed"`
	replay.Outcome
}

// builtIn stands for the recorded step that the program carries, where --golden names a file.
const builtIn = "built-in"

// repeatGolden repeats what --golden names: a training step, or some of a recipe.
func repeatGolden(c *cli.Context, dev backend.Device) error {
	path := c.String("golden")
	repeat, err := recordedSteps(path)
	if err != nil {
		return &fault.Error{Kind: fault.ErrBad, Reason: "read golden step", Err: err}
	}
	out, err := repeat(dev)
	if err != nil {
		return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "cannot be repeated", Err: err}
	}
	r := replayed{Device: dev.Name(), Info: dev.Info(), Passed: out.OK(), Outcome: out}
	if c.Bool("json") {
		err = printJSON(c, r)
	} else {
		err = printTable(c, replayedRows(r)...)
	}
	if err == nil && !r.Passed {
		err = fmt.Errorf("%w: %s differs from %s", errFailed, dev.Name(), r.Step)
	}
	return err
}

// recordedSteps reads what was recorded, and says how it is repeated.
func recordedSteps(path string) (repeat func(backend.Device) (replay.Outcome, error), err error) {
	read := replay.BuiltIn
	if path != builtIn {
		recipe, err := replay.ReadRecipe(path)
		if err != nil || recipe != nil {
			return func(d backend.Device) (replay.Outcome, error) { return replay.Retrace(d, recipe) }, err
		}
		read = func() (*replay.Step, error) { return replay.Read(path) }
	}
	step, err := read()
	return func(d backend.Device) (replay.Outcome, error) { return replay.Repeat(d, step) }, err
}

// replayedRows is a line a group, and one about kinks where there were any.
func replayedRows(r replayed) []string {
	rows := []string{r.Device, "GROUP\tLARGEST ERROR\tRELATIVE\tTOLERANCE\t"}
	for _, g := range r.Groups {
		verdict := "ok"
		switch {
		case g.Message != "":
			verdict = "FAILED: " + g.Message
		case !g.OK:
			verdict = "FAILED at " + g.Place
		}
		rows = append(rows, fmt.Sprintf("%s\t%.2g\t%.2g\t%.2g\t%s", g.Group, g.MaxAbs, g.MaxRel, g.Tolerance, verdict))
	}
	if k := r.Kinks; k.Flipped > 0 {
		rows = append(rows, fmt.Sprintf("kinks flipped: %d, |pre-activation| up to %.2g, rounding %.2g", k.Flipped, k.Max, k.Bound))
	}
	return rows
}
