package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"jem/internal/data"
	"jem/internal/golden"
	"jem/train"
)

// replayed is the result of selftest --golden.
type replayed struct {
	Device string `json:"device"`
	Passed bool   `json:"passed"`
	golden.Outcome
}

// golden repeats a recorded training step and shows how far the device is from it.
func (p *program) golden(c *cli.Context) error {
	if c.IsSet("only") || c.IsSet("short") {
		return usagef(c, "--golden repeats a whole training step: leave out --only and --short")
	}
	step, err := readStep(c.String("golden"))
	if err != nil {
		return err
	}
	dev, err := openDevice(deviceOf(c))
	if err != nil {
		return err
	}
	defer dev.Close()
	out, err := train.Replay(dev, step)
	if err != nil {
		return err
	}
	r := replayed{Device: dev.Name(), Passed: out.OK(), Outcome: out}
	if c.Bool("json") {
		err = p.json(r)
	} else {
		err = p.table(goldenRows(r)...)
	}
	if err == nil && !r.Passed {
		err = fmt.Errorf("%w: %s on %s", errFailed, r.Step, r.Device)
	}
	return err
}

// readStep reads a step; a file that is there but is none is bad input.
func readStep(path string) (*golden.Step, error) {
	step, err := golden.Read(path)
	var missing *fs.PathError
	if err != nil && !errors.As(err, &missing) {
		return nil, fmt.Errorf("%w: %w", data.ErrBadData, err)
	}
	return step, err
}

// goldenRows is a line a group, and one about kinks.
func goldenRows(r replayed) []string {
	rows := []string{r.Device, "GROUP\tVALUES\tLARGEST ERROR\tOF LARGEST ENTRY\tTOLERANCE\t"}
	for _, g := range r.Groups {
		verdict := ""
		if !g.OK {
			verdict = "FAILED at " + g.Place
		}
		if g.Message != "" {
			verdict = "FAILED: " + g.Message
		}
		rows = append(rows, fmt.Sprintf("%s\t%d\t%.2g\t%.2g\t%.0g\t%s", g.Group, g.Compared, g.MaxAbs, g.MaxRel, g.Tolerance, verdict))
	}
	if k := r.Kinks; k.Flipped > 0 {
		rows = append(rows, fmt.Sprintf("kinks flipped: %d, |pre-activation| up to %.2g, rounding %.2g", k.Flipped, k.Max, k.Bound))
	}
	return rows
}
