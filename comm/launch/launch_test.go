package launch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"jem/comm"
)

func environment(list string) func(string) string {
	values := map[string]string{}
	for _, f := range strings.Fields(list) {
		name, value, _ := strings.Cut(f, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, env string
		want      Place
	}{
		{"nothing", "HOME=/root", Alone},
		{"mpirun", "OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_RANK=1 OMPI_COMM_WORLD_LOCAL_SIZE=2 PMIX_RANK=3",
			Place{Rank: 3, Size: 4, By: byOpenMPI, LocalRank: 1, LocalSize: 2, MPI: "Open MPI", PMI: "pmix"}},
		{"hydra", "PMI_RANK=0 PMI_SIZE=2 MPI_LOCALRANKID=0 MPI_LOCALNRANKS=2 PMI_FD=5",
			Place{Size: 2, By: byHydra, LocalSize: 2, MPI: "MPICH", PMI: "pmi"}},
		{"srun", "SLURM_PROCID=5 SLURM_STEP_NUM_TASKS=6 SLURM_NTASKS=8 SLURM_LOCALID=1 SLURM_NODEID=2 SLURM_STEP_NUM_NODES=3 SLURM_STEP_ID=0 SLURM_STEP_TASKS_PER_NODE=2(x3) PMIX_RANK=5",
			Place{Rank: 5, Size: 6, By: "srun", LocalRank: 1, LocalSize: 2, Node: 2, Nodes: 3, PMI: "pmix"}},
		{"srun for MPICH", "SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_ID=4 PMI_RANK=1 PMI_SIZE=2 PMI_FD=3",
			Place{Rank: 1, Size: 2, By: "srun", PMI: "pmi"}},
		{"srun, one task of a larger allocation", "SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=4 SLURM_STEPID=1",
			Place{Size: 1, By: "srun"}},
		{"batch script of four tasks", "SLURM_JOB_ID=7 SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0", Alone},
		{"batch script as a step", "SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_STEP_ID=4294967291", Alone},
		{"salloc's shell", "SLURM_NTASKS=4 SLURM_JOB_ID=7", Alone},
		{"mpirun in a batch script", "SLURM_NTASKS=4 SLURM_PROCID=0 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4",
			Place{Rank: 1, Size: 4, By: byOpenMPI, MPI: "Open MPI", PMI: "pmix"}},
		{"mpiexec whose daemons srun started", "SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=1 SLURM_STEP_ID=0 PMI_RANK=3 PMI_SIZE=4",
			Place{Rank: 3, Size: 4, By: byHydra, MPI: "MPICH", PMI: "pmi"}},
		{"torchrun", "RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 LOCAL_WORLD_SIZE=2 MASTER_ADDR=10.0.0.1 MASTER_PORT=29500",
			Place{Rank: 1, Size: 2, By: "RANK and WORLD_SIZE", LocalRank: 1, LocalSize: 2, Address: "10.0.0.1:29500"}},
		{"torchrun's names from a step's", "RANK=1 WORLD_SIZE=4 SLURM_PROCID=1 SLURM_NTASKS=4 SLURM_STEP_ID=0",
			Place{Rank: 1, Size: 4, By: "RANK and WORLD_SIZE"}},
		{"indexed Job", "JOB_COMPLETION_INDEX=2 JEM_RANKS=3 MASTER_ADDR=job-0.job MASTER_PORT=29500",
			Place{Rank: 2, Size: 3, By: "an indexed Job of Kubernetes", LocalSize: 1, Node: 2, Nodes: 3, Address: "job-0.job:29500"}},
		{"torchrun's store at its port", "RANK=1 WORLD_SIZE=2 MASTER_ADDR=fd00::1 MASTER_PORT=29500 JEM_MASTER_PORT=29501",
			Place{Rank: 1, Size: 2, By: "RANK and WORLD_SIZE", Address: "[fd00::1]:29501"}},
		{"a step with an address", "SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_ID=0 MASTER_ADDR=n1 MASTER_PORT=29500",
			Place{Rank: 1, Size: 2, By: "srun", Address: "n1:29500"}},
		{"a step with MPI, and an address of something else's", "SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_ID=0 PMIX_RANK=1 MASTER_ADDR=n1 MASTER_PORT=29500",
			Place{Rank: 1, Size: 2, By: "srun", PMI: "pmix"}},
		{"a step with MPI that is not to be used", "SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_ID=0 PMIX_RANK=1 MASTER_ADDR=n1 JEM_MASTER_PORT=29500",
			Place{Rank: 1, Size: 2, By: "srun", PMI: "pmix", Address: "n1:29500"}},
		{"indexed Job of independent runs", "JOB_COMPLETION_INDEX=2", Alone},
		{"size confirmed", "JEM_RANKS=2 PMI_RANK=1 PMI_SIZE=2", Place{Rank: 1, Size: 2, By: byHydra, MPI: "MPICH", PMI: "pmi"}},
		{"one rank", "JEM_RANKS=1", Alone},
	} {
		got, err := Read(environment(c.env))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ env, name, value string }{
		{"OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_RANK", "1"},
		{"OMPI_COMM_WORLD_RANK=4 OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK", "4"},
		{"OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=0", "OMPI_COMM_WORLD_SIZE", "0"},
		{"PMI_SIZE=2", "PMI_SIZE", "2"},
		{"PMI_RANK=-1 PMI_SIZE=2", "PMI_RANK", "-1"},
		{"PMI_RANK=1 PMI_SIZE=2 MPI_LOCALNRANKS=3", "MPI_LOCALNRANKS", "3"},
		{"RANK=one WORLD_SIZE=2", "RANK", "one"},
		{"RANK=0 WORLD_SIZE=2 MASTER_ADDR=h", "MASTER_PORT", ""},
		{"RANK=0 WORLD_SIZE=99999999999999999999", "WORLD_SIZE", "99999999999999999999"},
		{"SLURM_PROCID=2 SLURM_STEP_NUM_TASKS=2 SLURM_STEP_ID=0", "SLURM_PROCID", "2"},
		{"SLURM_PROCID=1 SLURM_STEP_ID=0", "SLURM_PROCID", "1"},
		{"SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_ID=0 SLURM_NODEID=2 SLURM_NNODES=2", "SLURM_NODEID", "2"},
		{"JOB_COMPLETION_INDEX=3 JEM_RANKS=3", "JOB_COMPLETION_INDEX", "3"},
		{"JEM_RANKS=many", "JEM_RANKS", "many"},
		{"JEM_RANKS=3", "JEM_RANKS", "3"},
		{"JEM_RANKS=3 PMI_RANK=1 PMI_SIZE=2", "JEM_RANKS", "3"},
		{"RANK=0 WORLD_SIZE=4 PMI_RANK=0 PMI_SIZE=2", "WORLD_SIZE", "4"},
		{"RANK=1 WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2", "RANK", "1"},
	} {
		_, err := Read(environment(c.env))
		var setup *comm.SetupError
		if !errors.As(err, &setup) || !strings.HasPrefix(err.Error(), c.name+"="+c.value+" ") {
			t.Errorf("%s: %v, want a complaint about %s=%s", c.env, err, c.name, c.value)
		}
	}
}

func TestTasksOn(t *testing.T) {
	for _, c := range []struct {
		node int
		list string
		want int
	}{{0, "4", 4}, {1, "2(x2),1", 2}, {2, "2(x2),1", 1}, {3, "2(x2),1", 0}, {0, "", 0}, {0, "2(x", 0}, {0, "9", 0}} {
		if got := tasksOn(c.node, c.list, 5); got != c.want {
			t.Errorf("node %d of %q: %d tasks, want %d", c.node, c.list, got, c.want)
		}
	}
}

func TestBound(t *testing.T) {
	p := Place{Rank: 1, Size: 2, LocalSize: 2, By: byOpenMPI}
	if got := p.Bound(1, 8); !strings.Contains(got, "rank 1 to 1 of this machine's 8 cores") || !strings.Contains(got, "--map-by slot:PE=4") {
		t.Errorf("bound to one core: %q", got)
	}
	for name, got := range map[string]string{
		"its share":      p.Bound(4, 8),
		"all":            p.Bound(8, 8),
		"fewer cores":    p.Bound(1, 2),
		"not known":      p.Bound(1, 0),
		"alone":          Place{Size: 1, LocalSize: 1}.Bound(1, 8),
		"a step's share": Place{Size: 2, LocalSize: 2, By: "srun"}.Bound(1, 8),
	} {
		if got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// FuzzRead: any values give a place within bounds or one sentence.
func FuzzRead(f *testing.F) {
	f.Add("0", "1", "", uint8(0))
	f.Add("3", "4", "2(x2),1", uint8(3))
	f.Add("-1", "\n", "99999999999999999999", uint8(4))
	pairs := [][2]string{{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, {"PMI_RANK", "PMI_SIZE"}, {"RANK", "WORLD_SIZE"},
		{"SLURM_PROCID", "SLURM_NTASKS"}, {"JOB_COMPLETION_INDEX", "JEM_RANKS"}}
	f.Fuzz(func(t *testing.T, rank, size, other string, which uint8) {
		pair := pairs[int(which)%len(pairs)]
		p, err := Read(func(name string) string {
			switch name {
			case pair[0]:
				return rank
			case pair[1]:
				return size
			case "SLURM_STEP_ID":
				return "0"
			case "SLURM_STEP_TASKS_PER_NODE", "SLURM_NODEID", "MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK", "LOCAL_WORLD_SIZE":
				return other
			}
			return ""
		})
		if err != nil {
			if text := err.Error(); strings.ContainsAny(text, "\n\x00\x1b") || len(text) > 600 {
				t.Fatalf("a sentence like %q", text)
			}
			return
		}
		if p.Rank < 0 || p.Rank >= p.Size || p.Size > maxSize || p.LocalRank < 0 || p.LocalSize < 0 || p.LocalSize > p.Size ||
			p.Node < 0 || p.Nodes > 0 && p.Node >= p.Nodes {
			t.Fatalf("%+v", p)
		}
		if p != Alone && (fmt.Sprint(p.Rank) != strings.TrimLeft(rank, "0") && strings.Trim(rank, "0") != "") {
			t.Fatalf("rank %q became %d", rank, p.Rank)
		}
	})
}
