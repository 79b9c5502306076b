package launch

import "fmt"

// Bound is a sentence for the user where a launcher keeps this rank to fewer cores than its share of the machine's,
// and "" where it doesn't, or nobody knows: own are the cores that this process may use, online those of the machine (0: not
// known). Open MPI binds each of one or two ranks to a single core unless told otherwise. Of srun's tasks nothing is
// said: the rest of the machine may be other jobs'.
func (p Place) Bound(own, online int) string {
	if p.Size < 2 || p.LocalSize < 1 || own < 1 || own >= online/p.LocalSize {
		return ""
	}
	share, how := online/p.LocalSize, ""
	switch p.By {
	case byOpenMPI:
		how = fmt.Sprintf("--bind-to none or --map-by slot:PE=%d", share)
	case byHydra:
		how = "-bind-to none"
	default:
		return ""
	}
	return fmt.Sprintf("%s keeps rank %d to %d of this machine's %d cores, where its share of them is %d: give %s to the launcher",
		p.By, p.Rank, own, online, share, how)
}
