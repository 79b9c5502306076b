package main

import (
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"jem/backend"
	"jem/comm"
	"jem/comm/mpi"
	"jem/comm/nccl"
	"jem/config"
	"jem/predict"
)

// cards are those of a run whose ranks have one each.
type cards struct{ own int } // the driver's number of this rank's

// jobVariable names a job, for ranks that find each other at an address.
const jobVariable = "JEM_JOB_ID"

// enlistCards opens the engine of several ranks of a program that knows cards: NCCL where each is to have a card, over
// the launcher's MPI where there is one; else that one. wrong is why there is no configuration.
func (j *job) enlistCards(cfg config.Config, wrong error, timeout time.Duration, notes func(string)) (err error) {
	o := nccl.Options{Place: j.place, Patience: timeout, Notes: notes, Job: os.Getenv(jobVariable)}
	device := cfg.Device.Name
	if wrong != nil {
		device = ""
	}
	switch {
	case mpi.Built && j.place.PMI != "" && j.place.Address == "":
		if err := j.enlistProcesses(timeout, notes); err != nil {
			return err
		}
		o.Under, o.Place = j.ranks, j.place
		if device, err = sameDevice(j.ranks, device); err != nil {
			return err
		}
	case wrong != nil:
		return wrong
	case device != "cuda":
		return j.enlistProcesses(timeout, notes)
	}
	if device != "cuda" {
		return nil
	}
	if o.Job == "" {
		if o.Job, err = config.Document(cfg); err != nil {
			return err
		}
	}
	ranks, card, err := nccl.Open(o)
	if err != nil {
		return err
	}
	j.ranks, j.leave, j.cards = ranks, ranks.Exit, &cards{own: card}
	if o.Under != nil {
		return nil
	}
	return j.meetNeighbours()
}

// sameDevice is the device that all ranks want; "" where one of them doesn't know, which it will say later.
func sameDevice(ranks comm.Comm, own string) (string, error) {
	all, err := comm.Everyone(ranks, []byte(own))
	if err != nil {
		return "", err
	}
	for rank, their := range all {
		switch {
		case len(their) == 0 || len(all[0]) == 0:
			return "", nil
		case string(their) != string(all[0]):
			return "", &comm.SetupError{Reason: fmt.Sprintf("rank %d wants the device %s and rank 0 %s: give all ranks the same device", rank, their, all[0])}
		}
	}
	return own, nil
}

// runConfig is the configuration that the flags of a training ask for, over that of the run that they name, if it is there.
func runConfig(c *cli.Context) (config.Config, error) {
	folder := c.String("resume")
	if c.Bool("resume-if-there") {
		folder = c.String("out")
	}
	if folder != "" {
		if saved, err := predict.RunConfig(folder); err == nil {
			return configOver(c, saved)
		}
	}
	return configOf(c)
}

// openDevice opens the device of a run: this rank's card where ranks have one each.
func (j *job) openDevice(d config.Device) (backend.Device, error) {
	if j.cards != nil && d.Name == "cuda" {
		return openCard(d, j.cards.own, true)
	}
	return openDevice(d)
}
