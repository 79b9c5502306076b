package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/train/journal"
)

func reportCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "report",
		Usage: "write a run's report.html anew",
		Description: examples("Writes the page from what is in the run's folder: of a run that was killed, and of one that is going on,\n"+
			"which it doesn't disturb. What is missing or can't be read is left out, with a warning. A run writes it\n"+
			"itself, too: at its beginning, at evaluations, as far as that takes no more than a hundredth of its time,\n"+
			"and at its end.",
			"jem report runs/first"),
		Flags:  logFlags(),
		Action: writeReport,
	}, "RUN")
}

func writeReport(c *cli.Context) error {
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	run := rundir.Path(c.Args().First())
	if _, err := os.Stat(run.Config()); errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Path: string(run), Kind: fault.ErrMissing, Reason: "is no run folder: it has no config.yaml"}
	}
	notes, err := journal.Report(run)
	s.notes(notes)
	if err == nil {
		printPlace(c, run.Report())
	}
	return err
}
