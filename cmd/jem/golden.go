package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/internal/data"
	"jem/internal/golden"
	"jem/train"
)

// replayed is a recorded step beside its repetition.
type replayed struct {
	Device string              `json:"device"`
	Info   backend.Info        `json:"info"`
	Golden string              `json:"golden"`
	Passed bool                `json:"passed"`
	Groups []golden.Comparison `json:"groups"`
}

// golden repeats the training step that --golden names.
func (p *program) golden(c *cli.Context, dev backend.Device) error {
	path := c.String("golden")
	step, err := golden.Read(path)
	if err != nil {
		return &data.Error{Kind: data.ErrBadData, Reason: "read golden step", Err: err}
	}
	got, err := train.Replay(dev, step)
	if err != nil {
		return &data.Error{Path: path, Kind: data.ErrBadData, Reason: "cannot be repeated", Err: err}
	}
	r := replayed{Device: dev.Name(), Info: dev.Info(), Golden: step.Name, Passed: true, Groups: step.Compare(got)}
	rows := []string{dev.Name(), "GROUP\tLARGEST ERROR\tRELATIVE\tTOLERANCE\t"}
	for _, g := range r.Groups {
		verdict := "ok"
		if !g.OK {
			r.Passed, verdict = false, "FAILED at "+g.Place+g.Message
		}
		rows = append(rows, fmt.Sprintf("%s\t%.2g\t%.2g\t%.2g\t%s", g.Group, g.MaxAbs, g.MaxRel, g.Tolerance, verdict))
	}
	if c.Bool("json") {
		err = p.json(r)
	} else {
		err = p.table(rows...)
	}
	if err == nil && !r.Passed {
		err = fmt.Errorf("%w: %s differs from %s", errFailed, dev.Name(), step.Name)
	}
	return err
}
