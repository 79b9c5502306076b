package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/predict"
	"jem/train/journal"
)

func checkpointCommand() *cli.Command {
	return parent(&cli.Command{
		Name:  "checkpoint",
		Usage: "look at the checkpoints of a run",
		Subcommands: []*cli.Command{
			leaf(&cli.Command{
				Name:        "list",
				Usage:       "list a run's checkpoints",
				Description: examples("", "jem checkpoint list runs/first"),
				Flags:       []cli.Flag{jsonFlag},
				Action:      func(c *cli.Context) error { return listCheckpoints(c, false) },
			}, "RUN"),
			leaf(&cli.Command{
				Name:  "verify",
				Usage: "compare a run's checkpoints with their manifests",
				Description: examples("Reads every file, compares its size and SHA-256, and looks whether its state is one that a run could\n"+
					"go on from. Exits with 65 if one is damaged.",
					"jem checkpoint verify runs/first"),
				Flags:  []cli.Flag{jsonFlag},
				Action: func(c *cli.Context) error { return listCheckpoints(c, true) },
			}, "RUN"),
		},
	})
}

// stored is a checkpoint as a listing shows it.
type stored struct {
	Step  int       `json:"step"`
	Path  string    `json:"path"`
	Bytes int64     `json:"bytes"`
	Saved time.Time `json:"saved"`
	Best  bool      `json:"best,omitempty"`  // of the best evaluation during training
	Sound *bool     `json:"sound,omitempty"` // nil: not looked at
	Fault string    `json:"fault,omitempty"`
}

// listCheckpoints lists the checkpoints of the run named, verified if asked to.
func listCheckpoints(c *cli.Context, verify bool) error {
	run := c.Args().First()
	entries, err := checkpoint.List(rundir.Path(run).Checkpoints())
	if err != nil {
		return err
	}
	if _, err := os.Stat(rundir.Path(run).Config()); errors.Is(err, fs.ErrNotExist) && len(entries) == 0 {
		return &fault.Error{Path: run, Kind: fault.ErrMissing, Reason: "is no run folder: it has no config.yaml"}
	}
	best, _ := predict.BestStep(run) // none yet, or none that can be read: then none is marked
	all := []stored{}
	var faults []error
	for _, e := range entries {
		s := describe(e)
		s.Best = best > 0 && e.Step == best
		if verify {
			err := checkpoint.Verify(e.Path, journal.Usable)
			if _, gone := os.Lstat(e.Path); errors.Is(gone, fs.ErrNotExist) {
				continue // its run, which is going on, has newer ones
			}
			sound := err == nil
			if s.Sound = &sound; !sound {
				s.Fault, faults = err.Error(), append(faults, err)
			}
		}
		all = append(all, s)
	}
	if c.Bool("json") {
		err = printJSON(c, all)
	} else {
		err = printTable(c, rows(all)...)
	}
	return errors.Join(append([]error{err}, faults...)...)
}

func rows(all []stored) []string {
	rows := []string{"STEP\tBYTES\tSAVED\tSTATE"}
	for _, s := range all {
		var words []string
		if s.Sound != nil && *s.Sound {
			words = append(words, "sound")
		} else if s.Sound != nil {
			words = append(words, "damaged")
		}
		if s.Best {
			words = append(words, "best")
		}
		state := strings.Join(words, ", ")
		rows = append(rows, fmt.Sprintf("%d\t%d\t%s\t%s", s.Step, s.Bytes, s.Saved.Local().Format(time.DateTime), state))
	}
	return rows
}

// describe looks at a checkpoint's files; what cannot be read counts nothing.
func describe(e checkpoint.Entry) stored {
	s := stored{Step: e.Step, Path: e.Path}
	files, _ := os.ReadDir(e.Path)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			s.Bytes += info.Size()
		}
	}
	if info, err := os.Stat(filepath.Join(e.Path, "MANIFEST.json")); err == nil {
		s.Saved = info.ModTime()
	}
	return s
}
