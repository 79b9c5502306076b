package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"jem/train/gauges"
	"jem/train/journal"
	"jem/train/session"
)

// watching is the section of the flags for those who watch a run from outside.
const watching = "Watching from outside (docs/metrics.md)"

// gaugeFlags are those of a run's figures for Prometheus.
func gaugeFlags() []cli.Flag {
	return in(watching,
		&cli.StringFlag{Name: "metrics-file", Usage: "write the latest figures in Prometheus' text format to `FILE`, every 5 s; --metrics-file= writes none; default: metrics.prom in the run folder"},
		&cli.StringFlag{Name: "metrics-listen", Usage: "serve them at http://`HOST:PORT`/metrics; without HOST, as in :9464, to this machine alone; default: nowhere"},
	)
}

// listenForReaders opens the port that --metrics-listen names, before anything else is done; nil: none.
func listenForReaders(c *cli.Context) (net.Listener, error) {
	if !c.IsSet("metrics-listen") {
		return nil, nil
	}
	return openPort(c, "metrics-listen")
}

// openPort opens the port that a flag names.
func openPort(c *cli.Context, flag string) (net.Listener, error) {
	l, err := gauges.Listen(c.String(flag))
	if bad := (*gauges.AddressError)(nil); errors.As(err, &bad) && bad.Bad {
		return nil, usagef(c, "--%s %v", flag, err)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s %w", flag, err)
	}
	return l, nil
}

// showGauges begins to show a run's figures where the flags say.
func showGauges(c *cli.Context, s *screen, run *session.Session, l net.Listener) (*gauges.Board, error) {
	whole, err := filepath.Abs(string(run.Path))
	if err != nil {
		return nil, err
	}
	p := run.Trainer.Progress()
	o := gauges.Options{
		File: run.Path.Gauges(), Listen: l, Notes: s.notes,
		Run: filepath.Base(whole), Version: version().Version, Device: run.Device, Ranks: jobOf(c).ranks.Size(),
		Step: p.Step, Steps: run.Trainer.TotalSteps(), Rollbacks: len(p.Rollbacks),
	}
	if c.IsSet("metrics-file") {
		o.File = c.String("metrics-file")
	}
	if saved := journal.Newest(string(run.Path)); saved != nil {
		o.Saved = saved.Time
	}
	return gauges.Show(o)
}

// closed gives back a port that nobody will serve; nil: there is none.
func closed(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}
