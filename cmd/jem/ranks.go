package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/comm"
	"jem/comm/launch"
	"jem/comm/mpi"
	"jem/comm/nccl"
	"jem/config"
	"jem/internal/sysmem"
)

// job is this process's part in what a launcher has started.
type job struct {
	place launch.Place
	wrong error       // with what the launcher says
	ranks comm.Comm   // nil until enlist
	tried bool        // to open the engine
	log   logFile     // of a rank other than the first
	ended atomic.Bool // why it ends has been said
	cards *cards      // nil: on the processor
	// leave is what ends the process, where an engine must.
	leave func(code int)
}

func newJob() *job {
	j := &job{leave: os.Exit}
	j.place, j.wrong = launch.Read(os.Getenv)
	if j.wrong == nil {
		sysmem.Beside(j.place.LocalSize)
	}
	return j
}

// jobKey is where a command finds its job.
const jobKey = "job"

// jobOf is the job of a command.
func jobOf(c *cli.Context) *job {
	if j, ok := c.App.Metadata[jobKey].(*job); ok {
		return j
	}
	return &job{place: launch.Alone, leave: os.Exit}
}

// ranked are the commands that a launcher may start several times at once.
var ranked = []string{"train", "bench step", "version", "completion", "man"}

// admit refuses commands that know no ranks: each of the processes would do the same work, and write the same files.
func (j *job) admit(command string) error {
	switch {
	case slices.Contains(ranked[2:], command):
		return nil
	case j.wrong != nil:
		return j.wrong
	case j.place.Size > 1 && !slices.Contains(ranked, command):
		return &comm.SetupError{Reason: fmt.Sprintf("%s has started %d processes, and jem %s is for one: start it without %s; jem train and jem bench step take several",
			j.place.By, j.place.Size, command, j.place.By)}
	}
	return nil
}

// Bounds of --rank-timeout.
const (
	patience      = 5 * time.Minute
	leastPatience = time.Second
)

var rankTimeoutFlag = &cli.DurationFlag{Name: "rank-timeout", Value: patience,
	Usage: "with several ranks (mpirun, srun): whoever waits so long for another one ends them all, at least 1s"}

// enlist opens the engine of a run of several ranks, or the one of a single one. wanted reads their configuration.
func (j *job) enlist(c *cli.Context, wanted func(*cli.Context) (config.Config, error)) error {
	timeout := c.Duration(rankTimeoutFlag.Name)
	if timeout < leastPatience {
		return usagef(c, "--%s %s: want at least %s", rankTimeoutFlag.Name, timeout, leastPatience)
	}
	j.tried = true
	notes := func(text string) { j.note(c.App.ErrWriter, text) }
	if j.place.Size > 1 && (nccl.Built || !mpi.Built) {
		cfg, err := wanted(c)
		if nccl.Built || err == nil && cfg.Device.Name == "cuda" {
			return j.enlistCards(cfg, err, timeout, notes)
		}
	}
	return j.enlistProcesses(timeout, notes)
}

// enlistProcesses opens the launcher's MPI, or the engine of a single rank.
func (j *job) enlistProcesses(timeout time.Duration, notes func(string)) error {
	ranks, err := mpi.Open(mpi.Options{Place: j.place, Patience: timeout, Notes: notes})
	if err != nil {
		return err
	}
	j.ranks, j.leave = ranks, ranks.Exit
	if err := j.meetNeighbours(); err != nil {
		return err
	}
	if bound := j.place.Bound(runtime.NumCPU(), sysmem.Online()); bound != "" {
		notes(bound)
	}
	return nil
}

// meetNeighbours learns which ranks are on this machine, and which of its cores each may use: not every launcher tells.
func (j *job) meetNeighbours() error {
	if !j.several() {
		return nil
	}
	all, err := comm.Everyone(j.ranks, []byte(host()+" "+sysmem.Machine()+"\n"+sysmem.Cores()))
	if err != nil {
		return err
	}
	cores, this := neighbours(all, j.ranks.Rank())
	switch n := len(cores); {
	case n < j.place.LocalSize: // which are in containers
		return nil
	case j.place.LocalSize == 0:
		j.place.LocalRank, j.place.LocalSize = this, n
	}
	sysmem.Among(cores, this)
	return nil
}

// neighbours are the cores of the ranks on the machine of one of them, which it is itself among them: what all told is the
// machine's name, a line of its own, and the cores.
func neighbours(all [][]byte, rank int) (cores []string, this int) {
	name, _, _ := bytes.Cut(all[rank], []byte("\n"))
	for other, told := range all {
		if other == rank {
			this = len(cores)
		}
		if their, list, _ := bytes.Cut(told, []byte("\n")); bytes.Equal(their, name) {
			cores = append(cores, string(list))
		}
	}
	return cores, this
}

// note tells what one should know of the engine: the first rank on stderr, others in their logs.
func (j *job) note(stderr io.Writer, text string) {
	if j.ended.Load() {
		return
	}
	if j.place.Rank == 0 {
		fmt.Fprintln(stderr, "jem: "+escape(text))
		return
	}
	j.log.say(zap.WarnLevel, text)
}

// several reports whether there are other ranks.
func (j *job) several() bool { return j.ranks != nil && j.ranks.Size() > 1 }
