//go:build cuda && linux && amd64

package nccl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"jem/comm"
	"jem/comm/launch"
)

// Built says whether the program was built with NCCL.
const Built = true

// Open gives the rank its engine, and tells which card is its own, as the driver counts: comm.Local where it is the only
// rank, for which no library is needed. Of several on a machine each has the card with its number there, or the only one
// that CUDA_VISIBLE_DEVICES shows it. It returns when all ranks have come to it. Errors: *comm.SetupError where there is no library or no way to the others,
// *comm.PeerError where they don't come within the patience, or card or library fail; of another engine beneath, those
// of comm.Accord.
func Open(o Options) (c comm.Comm, card int, err error) {
	if o.Place.Size == 1 {
		return comm.Local{}, 0, nil
	}
	e := newEngine(o)
	if o.Under != nil {
		return openOver(o, e)
	}
	if o.Place.Address == "" {
		return nil, 0, &comm.SetupError{Reason: fmt.Sprintf("%s does not say where rank 0 is: set MASTER_ADDR and MASTER_PORT to its machine and a free port, on all ranks, or start them by mpirun or mpiexec", o.Place.By)}
	}
	go launch.Watch(os.Getppid(), time.Second, e.orphaned)
	what, err := id{}, e.prepare(o.Place)
	if err == nil && e.rank == 0 {
		what, err = e.id()
	}
	if err == nil {
		what, err = e.meet(o, what)
	}
	if err == nil {
		err = e.join(what)
	}
	if err != nil {
		return nil, 0, errors.Join(err, e.give())
	}
	return e, e.card.ordinal, nil
}

func newEngine(o Options) *engine {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	const most = 4096 // operations begun and not over
	e := &engine{rank: o.Place.Rank, size: o.Place.Size, host: host, patience: o.Patience, notes: o.Notes,
		work: make(chan func(), most), urgent: make(chan func(), 1)}
	go e.own()
	return e
}

// do has the owning goroutine do something, and waits for it as long as others are waited for.
func (e *engine) do(f func() error) error {
	done := make(chan error, 1)
	e.work <- func() { done <- f() }
	select {
	case err := <-done:
		setup, peer := (*comm.SetupError)(nil), (*comm.PeerError)(nil)
		if err == nil || errors.As(err, &setup) || errors.As(err, &peer) {
			return err
		}
		return e.fault("start", 0, err)
	case <-time.After(e.patience + 2*grace): // waits within have their own
		return e.fault("start", e.patience, errors.New("NCCL or the driver does not return"))
	}
}

// prepare does what needs no other rank.
func (e *engine) prepare(place launch.Place) error {
	return e.do(func() (err error) {
		if e.lib, err = open(); err != nil {
			return err
		}
		if e.card, err = openDriver(); err != nil {
			return err
		}
		return e.card.open(place)
	})
}

// id makes what ranks find each other by.
func (e *engine) id() (id, error) {
	what := new(id)
	err := e.do(func() error { return e.lib.call(0, "ncclGetUniqueId", pointer(&what[0])) })
	return *what, err
}

// meet gives the first rank's id to the others.
func (e *engine) meet(o Options, what id) (id, error) {
	ctx, cancel := context.WithTimeout(context.Background(), o.Patience)
	defer cancel()
	begun := time.Now()
	if e.rank > 0 {
		got, err := take(ctx, o.Place.Address, o.Job, e.rank, e.size)
		if setup := (*comm.SetupError)(nil); err != nil && !errors.As(err, &setup) {
			err = e.fault("start", time.Since(begun), err)
		}
		return got, err
	}
	err := give(ctx, o.Place.Address, o.Job, e.size, what)
	if setup := (*comm.SetupError)(nil); err != nil && !errors.As(err, &setup) {
		err = e.fault("start", time.Since(begun), err)
	}
	return what, err
}

// join makes the communicator, with all other ranks.
func (e *engine) join(what id) error {
	return e.do(func() error {
		if err := e.lib.result(0, "ncclCommInitRankConfig", e.lib.init(&e.comm, int32(e.size), struct{ id id }{what}, int32(e.rank), polled())); err != nil {
			return err
		}
		waited, err := e.await(e.settled)
		if err != nil {
			return e.fault("start", waited, err)
		}
		return nil
	})
}

// give gives back what a rank that could not begin holds.
func (e *engine) give() error {
	done := make(chan error, 1)
	select {
	case e.work <- func() {
		e.abandon()
		if e.card == nil {
			done <- nil
			return
		}
		done <- e.card.close()
	}:
	default:
		return nil
	}
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
		return nil // it hangs: the process ends
	}
}

// over is an engine with another one beneath, which has found the ranks: that carries the host's numbers, this one the
// cards'.
type over struct {
	comm.Comm
	cards *engine
}

func openOver(o Options, e *engine) (comm.Comm, int, error) {
	all := comm.NewAccord(context.Background(), o.Under)
	if err := all.Check(e.prepare(o.Place)); err != nil {
		return nil, 0, errors.Join(err, e.give())
	}
	what, err := id{}, error(nil)
	if e.rank == 0 {
		what, err = e.id()
	}
	if err := all.Check(err); err != nil {
		return nil, 0, errors.Join(err, e.give())
	}
	told, err := comm.Tell(o.Under, what[:], 0)
	if err != nil {
		return nil, 0, errors.Join(err, e.give())
	}
	copy(what[:], told)
	// The rounds go on meanwhile: whoever dies now is missed by the engine beneath.
	if err := all.During(func(context.Context) error { return e.join(what) }); err != nil {
		return nil, 0, errors.Join(err, e.give())
	}
	return &over{o.Under, e}, e.card.ordinal, nil
}

// Name implements comm.Comm.
func (o *over) Name() string { return o.cards.Name() + ", " + o.Comm.Name() }

// At implements comm.Comm.
func (o *over) At(step int) {
	o.Comm.At(step)
	o.cards.At(step)
}

// SumOn implements comm.CardSummer.
func (o *over) SumOn(stream, address uintptr, n int) comm.Pending {
	return o.cards.SumOn(stream, address, n)
}

// Abort implements comm.Comm.
func (o *over) Abort(code int, why string) {
	o.cards.cut()
	o.Comm.Abort(code, why)
}

// Close implements comm.Comm.
func (o *over) Close() error {
	if _, err := o.Comm.Max(0); err != nil {
		return err
	}
	o.cards.end()
	return o.Comm.Close()
}
