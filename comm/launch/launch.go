// Package launch reads from a process's environment which rank of how many it is, and who says so: mpirun, mpiexec,
// srun, torchrun or a Job of Kubernetes. It starts nothing and talks to nobody.
package launch

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"jem/comm"
	"jem/internal/fault"
)

// Place is where a launcher has put this process.
type Place struct {
	Rank, Size int    // this process's number, from 0, and how many there are
	By         string // the launcher in words, as in "srun"; "" for a process that nobody gave a rank

	LocalRank, LocalSize int // the same among the processes of this machine; LocalSize 0: not known
	Node, Nodes          int // number of the machine, from 0, and how many; Nodes 0: not known

	MPI     string // "Open MPI" or "MPICH", whose launcher it is; "" for launchers of any MPI or none
	PMI     string // "pmix" or "pmi" (of MPICH, also version 2) where such a server waits for the process, else ""
	Address string // HOST:PORT where rank 0 is to be found; "" where the launcher doesn't say
}

// Alone is the place of a process that runs by itself.
var Alone = Place{Size: 1, LocalSize: 1, Nodes: 1}

// Read is the place that the environment tells of, Alone where it tells of none. Variables that an outer
// launcher left behind don't count: those that mpirun and mpiexec set for a rank come before RANK and WORLD_SIZE, and
// these before what srun and Kubernetes set for every process. Errors are *comm.SetupError and name the variable.
func Read(env func(string) string) (Place, error) {
	place, found := Alone, false
	for _, l := range launchers {
		p, is, err := l(env)
		if err != nil {
			return Place{}, err
		}
		if is && !found {
			place, found = p, true
		}
	}
	return place, agree(place, found, env)
}

const (
	byOpenMPI = "mpirun of Open MPI"
	byHydra   = "mpiexec of MPICH"
)

// launchers are asked in this order. Each says whether the process is its own.
var launchers = []func(env func(string) string) (Place, bool, error){openMPI, hydra, torchrun, srun, kubernetes}

func openMPI(env func(string) string) (Place, bool, error) {
	r := reader{env: env}
	p, is := r.pair("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")
	p.By, p.MPI, p.PMI = byOpenMPI, "Open MPI", "pmix"
	p.LocalRank, p.LocalSize = r.local("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", p)
	return p, is, r.err
}

func hydra(env func(string) string) (Place, bool, error) {
	r := reader{env: env}
	p, is := r.pair("PMI_RANK", "PMI_SIZE")
	p.By, p.MPI, p.PMI = byHydra, "MPICH", "pmi"
	p.LocalRank, p.LocalSize = r.local("MPI_LOCALRANKID", "MPI_LOCALNRANKS", p)
	if step, in, err := srun(env); is && in && err == nil && step.Rank == p.Rank && step.Size == p.Size {
		return step, true, r.err // srun --mpi=pmi2 sets them, too
	}
	return p, is, r.err
}

func torchrun(env func(string) string) (Place, bool, error) {
	r := reader{env: env}
	p, is := r.pair("RANK", "WORLD_SIZE")
	p.By = "RANK and WORLD_SIZE"
	p.LocalRank, p.LocalSize = r.local("LOCAL_RANK", "LOCAL_WORLD_SIZE", p)
	if is {
		p.Address = r.address()
	}
	return p, is, r.err
}

// address is where rank 0 is to be found, "" where nobody says.
func (r *reader) address() string {
	host := r.env("MASTER_ADDR")
	switch {
	case host == "":
		return ""
	case r.env("JEM_MASTER_PORT") != "": // where something of the launcher's is at the other one, as torchrun's store is
		return net.JoinHostPort(host, strconv.Itoa(r.number("JEM_MASTER_PORT", 1, 65535)))
	}
	return net.JoinHostPort(host, strconv.Itoa(r.number("MASTER_PORT", 1, 65535)))
}

// srun sets its variables for each task of a step. In a batch script and in salloc's shell there are some of them,
// too: SLURM_NTASKS is then what was asked for, and SLURM_PROCID may be 0.
func srun(env func(string) string) (Place, bool, error) {
	step := env("SLURM_STEP_ID")
	if step == "" {
		step = env("SLURM_STEPID")
	}
	// Slurm numbers the steps of batch scripts and interactive shells from the end.
	if n, err := strconv.ParseUint(step, 10, 32); step == "" || env("SLURM_PROCID") == "" || err == nil && n >= 1<<32-16 {
		return Place{}, false, nil
	}
	r := reader{env: env}
	p, is := r.pair("SLURM_PROCID", r.first("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"))
	p.By = "srun"
	p.LocalRank = r.optional("SLURM_LOCALID", 0, p.Size-1)
	p.Nodes = r.optional(r.first("SLURM_STEP_NUM_NODES", "SLURM_NNODES"), 1, p.Size)
	p.Node = r.optional("SLURM_NODEID", 0, max(p.Nodes, 1)-1)
	p.LocalSize = tasksOn(p.Node, env("SLURM_STEP_TASKS_PER_NODE"), p.Size)
	switch {
	case env("PMIX_RANK") != "":
		p.PMI = "pmix"
	case env("PMI_RANK") != "":
		p.PMI = "pmi"
	}
	// MASTER_ADDR is a variable that others use, too; JEM_MASTER_PORT asks for the address though there be a PMI.
	if is && (p.PMI == "" && env("MASTER_PORT") != "" || env("JEM_MASTER_PORT") != "") {
		p.Address = r.address()
	}
	return p, is, r.err
}

// tasksOn reads how many of a step's tasks are on a node from Slurm's list, as in "2(x3),1"; 0: not known.
func tasksOn(node int, list string, size int) int {
	for _, part := range strings.Split(list, ",") {
		tasks, times, many := strings.Cut(strings.TrimSuffix(part, ")"), "(x")
		n, err := strconv.Atoi(tasks)
		k := 1
		if many && err == nil {
			k, err = strconv.Atoi(times)
		}
		switch {
		case err != nil || n < 1 || n > size || k < 1:
			return 0
		case node < k:
			return n
		}
		node -= k
	}
	return 0
}

// kubernetes is a Job with completionMode Indexed. Such a Job may as well be one of independent runs: only
// JEM_RANKS, which its author sets to the number of completions, makes ranks of its pods.
func kubernetes(env func(string) string) (Place, bool, error) {
	if env("JEM_RANKS") == "" || env("JOB_COMPLETION_INDEX") == "" {
		return Place{}, false, nil
	}
	r := reader{env: env}
	p, is := r.pair("JOB_COMPLETION_INDEX", "JEM_RANKS")
	p.By = "an indexed Job of Kubernetes"
	p.LocalSize, p.Node, p.Nodes = 1, p.Rank, p.Size // a pod counts as a machine
	p.Address = r.address()
	return p, is, r.err
}

// agree holds the place against what was said explicitly elsewhere.
func agree(p Place, found bool, env func(string) string) error {
	r := reader{env: env}
	if env("JEM_RANKS") != "" {
		if n := r.number("JEM_RANKS", 1, maxSize); r.err == nil && n != p.Size {
			if !found {
				r.fail("JEM_RANKS", "says how many ranks there are, and no launcher has given this process a number: set JOB_COMPLETION_INDEX, or start it by mpirun, mpiexec or srun")
			} else {
				r.fail("JEM_RANKS", fmt.Sprintf("and %s says %d: they must be the same", p.By, p.Size))
			}
		}
	}
	if world, is, _ := torchrun(env); is && r.err == nil && slices.Contains([]string{"pmix", "pmi"}, p.PMI) {
		switch {
		case world.Size != p.Size:
			r.fail("WORLD_SIZE", fmt.Sprintf("and %s says %d ranks: unset WORLD_SIZE and RANK, or start the processes in one way", p.By, p.Size))
		case world.Rank != p.Rank:
			r.fail("RANK", fmt.Sprintf("and %s says rank %d: unset WORLD_SIZE and RANK, or start the processes in one way", p.By, p.Rank))
		}
	}
	return r.err
}

// maxSize bounds the number of ranks: no job is larger, and a larger number is a mistake.
const maxSize = 1 << 20

// reader reads numbers and remembers the first fault.
type reader struct {
	env func(string) string
	err error
}

func (r *reader) fail(name, why string) {
	if r.err == nil {
		r.err = &comm.SetupError{Reason: fault.Short(name) + "=" + fault.Short(r.env(name)) + " " + why}
	}
}

// first is the first of the variables that is set, or else the last.
func (r *reader) first(names ...string) string {
	for _, n := range names {
		if r.env(n) != "" {
			return n
		}
	}
	return names[len(names)-1]
}

// number is the value of a variable that must be set, from lo to hi.
func (r *reader) number(name string, lo, hi int) int {
	n, err := strconv.ParseUint(r.env(name), 10, 31)
	if err != nil || int(n) < lo || int(n) > hi {
		r.fail(name, fmt.Sprintf("is not a number from %d to %d: it is set by whatever starts the ranks", lo, hi))
		return lo
	}
	return int(n)
}

// optional is number where the variable is set, and 0 where it isn't.
func (r *reader) optional(name string, lo, hi int) int {
	if r.env(name) == "" {
		return 0
	}
	return r.number(name, lo, hi)
}

// pair reads a launcher's rank and size, which come together or not at all.
func (r *reader) pair(rank, size string) (Place, bool) {
	switch hasRank, hasSize := r.env(rank) != "", r.env(size) != ""; {
	case !hasRank && !hasSize:
		return Place{}, false
	case !hasSize:
		r.fail(rank, "without "+size+": set both or neither")
	case !hasRank:
		r.fail(size, "without "+rank+": set both or neither")
	}
	n := r.number(size, 1, maxSize)
	return Place{Rank: r.number(rank, 0, n-1), Size: n}, true
}

// local reads rank and number of ranks on this machine, which a launcher may leave out.
func (r *reader) local(rank, size string, p Place) (int, int) {
	n := r.optional(size, 1, max(p.Size, 1))
	bound := n
	if n == 0 {
		bound = max(p.Size, 1)
	}
	return r.optional(rank, 0, bound-1), n
}
