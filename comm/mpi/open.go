//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"jem/comm"
	"jem/comm/launch"
)

// Built says whether the program was built with MPI.
const Built = true

// Open gives the rank its engine, comm.Local where it is the only one: no library is needed then. It returns when
// all ranks have come to it. Errors: *comm.SetupError where there is no library or it isn't the launcher's,
// *comm.PeerError where the others don't come within the patience.
func Open(o Options) (comm.Comm, error) {
	if o.Place.Size == 1 {
		return comm.Local{}, nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	const most = 4096 // operations begun and not over
	e := &engine{rank: o.Place.Rank, size: o.Place.Size, host: host, patience: o.Patience, notes: o.Notes,
		work: make(chan func(), most), urgent: make(chan func(), 1), peers: make([]peer, o.Place.Size)}
	go launch.Watch(os.Getppid(), time.Second, e.orphaned)
	opened, bug := make(chan error, 1), ""
	go func() {
		runtime.LockOSThread()
		var err error
		e.caught(func() { err = e.open(o.Place) })
		bug = e.bug
		opened <- err
		if err == nil {
			e.own()
		}
	}()
	select {
	case err = <-opened:
		if bug != "" {
			panic(bug)
		}
	case <-time.After(o.Patience + 2*grace): // the rounds within have their own
		err = e.fault("start", o.Patience, errors.New("MPI_Init does not return"))
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// open loads and begins MPI, and learns who the others are.
func (e *engine) open(place launch.Place) (err error) {
	e.lib, err = load(candidates(os.Getenv(LibraryVariable), place.PMI, launchersAbove("/proc", os.Getpid())))
	if err != nil {
		return err
	}
	l := e.lib
	if place.MPI != "" && l.family != "" && place.MPI != l.family {
		return foreign(place, l, "")
	}
	if err := l.call("MPI_Init_thread", 0, 0, l.funneled, pointer(&l.number[0])); err != nil {
		return e.fault("start", 0, err)
	}
	if got := uintptr(l.number[0]); got < l.funneled {
		return &comm.SetupError{Reason: fmt.Sprintf("%s (%s) was built without threads: %s names another library", l.version, l.path, LibraryVariable)}
	}
	if err := l.call("MPI_Comm_set_errhandler", l.world, l.errorsReturn); err != nil {
		return e.fault("start", 0, err)
	}
	if err := e.compare(place); err != nil {
		return err
	}
	return e.greet()
}

// compare holds what MPI says of this rank against what the launcher says.
func (e *engine) compare(place launch.Place) error {
	l := e.lib
	if err := errors.Join(l.call("MPI_Comm_rank", l.world, pointer(&l.number[0])), l.call("MPI_Comm_size", l.world, pointer(&l.number[1]))); err != nil {
		return e.fault("start", 0, err)
	}
	rank, size := int(l.number[0]), int(l.number[1])
	if rank == place.Rank && size == place.Size {
		return nil
	}
	if size == 1 {
		l.call("MPI_Finalize") // alone, so nobody is waited for
	}
	return foreign(place, l, fmt.Sprintf(" says rank %d of %d", rank, size))
}

// foreign is the error where the library is another installation's than the launcher.
func foreign(place launch.Place, l *library, says string) error {
	how := "use the mpirun or mpiexec of the same installation, or name its library by " + LibraryVariable
	if place.By == "srun" {
		how = "srun --mpi=pmix goes with Open MPI, --mpi=pmi2 with MPICH; " + LibraryVariable + " names another library"
	}
	return &comm.SetupError{Reason: fmt.Sprintf("%s says rank %d of %d, %s (%s)%s: the library is not the launcher's; %s",
		place.By, place.Rank, place.Size, l.version, l.path, says, how)}
}

// hostBytes is the room for a name of a machine.
const hostBytes = 64

// greet is the first round: everybody learns on which machines the others are.
func (e *engine) greet() error {
	for r := range e.peers {
		e.peers[r].notPosted = r == e.rank
		e.peers[r].host = "host not known"
		if r != e.rank {
			e.expect(r)
		}
	}
	names, s := make([]byte, hostBytes*e.size), equal(hostBytes, e.size)
	copy(names[hostBytes*e.rank:hostBytes*(e.rank+1)], e.host)
	o := &operation{name: "start", begin: func(stage int) (bool, error) {
		if stage > 0 {
			return false, nil
		}
		return true, e.lib.call("MPI_Iallgatherv", e.lib.inPlace, 0, e.lib.byte, pointer(&names[0]), pointer(&s.counts[0]), pointer(&s.from[0]), e.lib.byte,
			e.lib.world, pointer(&e.request))
	}}
	if err := e.perform(o); err != nil {
		return err
	}
	for r := range e.peers {
		e.peers[r].host = strings.TrimRight(string(names[hostBytes*r:hostBytes*(r+1)]), "\x00")
	}
	return nil
}
