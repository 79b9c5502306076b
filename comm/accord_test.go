package comm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jem/comm"
	"jem/comm/mem"
)

// No test of this package may leave a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each has so many ranks do something at once, each with a context of its own.
func each(t *testing.T, size int, do func(a *comm.Accord, stop context.CancelFunc)) {
	t.Helper()
	var all sync.WaitGroup
	for _, c := range mem.New(size, 10*time.Second) {
		ctx, stop := context.WithCancel(t.Context())
		all.Go(func() {
			defer stop()
			do(comm.NewAccord(ctx, c), stop)
		})
	}
	all.Wait()
}

var errBroken = errors.New("broken")

// Whoever fails says why, the first of several; all others hear that it did.
func TestAFailureOnAnyRankIsEverybodys(t *testing.T) {
	for _, size := range []int{1, 2, 3} {
		for failing := 1; failing < 1<<size; failing++ {
			first := 0
			for failing>>first&1 == 0 {
				first++
			}
			each(t, size, func(a *comm.Accord, _ context.CancelFunc) {
				var own error
				if failing>>a.Rank()&1 == 1 {
					own = fmt.Errorf("%w: %d", errBroken, a.Rank())
				}
				err := a.Check(own)
				var elsewhere *comm.ElsewhereError
				switch {
				case a.Rank() == first && (own == nil || !errors.Is(err, errBroken) || err.Error() != own.Error()):
					t.Errorf("%d ranks, %b fail: rank %d got %v", size, failing, a.Rank(), err)
				case a.Rank() != first && (!errors.As(err, &elsewhere) || elsewhere.Rank != first || elsewhere.Own != own):
					t.Errorf("%d ranks, %b fail: rank %d got %v", size, failing, a.Rank(), err)
				}
				if err := a.Check(nil); err != nil {
					t.Errorf("the next one: %v", err)
				}
			})
		}
	}
}

// A failure ends the work of others, and what they come to by that isn't called one.
func TestAFailureEndsTheOthersWork(t *testing.T) {
	each(t, 3, func(a *comm.Accord, _ context.CancelFunc) {
		err := a.During(func(ctx context.Context) error {
			if a.Rank() == 2 {
				return errBroken
			}
			<-ctx.Done()
			return ctx.Err()
		})
		var elsewhere *comm.ElsewhereError
		if a.Rank() == 2 && err != errBroken || a.Rank() != 2 && (!errors.As(err, &elsewhere) || elsewhere.Rank != 2) || a.Context().Err() != nil {
			t.Errorf("rank %d: %v", a.Rank(), err)
		}
	})
}

// A wish to stop travels while somebody works, whose work may heed it or not: all come to the same.
func TestAWishToStopIsHeardByAll(t *testing.T) {
	for name, heeds := range map[string]bool{"heeded": true, "too late": false} {
		t.Run(name, func(t *testing.T) {
			each(t, 3, func(a *comm.Accord, stop context.CancelFunc) {
				if a.Rank() == 1 {
					stop()
				}
				err := a.Lead(func(ctx context.Context) error {
					<-ctx.Done()
					if heeds {
						return ctx.Err()
					}
					return nil
				})
				if heeds != errors.Is(err, context.Canceled) || a.Context().Err() == nil || a.Wants() != (a.Rank() == 1) {
					t.Errorf("rank %d: %v, %v", a.Rank(), err, a.Context().Err())
				}
			})
		})
	}
}

// Until all agree, a rank goes on, whatever it wishes.
func TestNoRankStopsByItself(t *testing.T) {
	each(t, 2, func(a *comm.Accord, stop context.CancelFunc) {
		stop()
		if a.Context().Err() != nil || !a.Wants() {
			t.Errorf("rank %d stopped", a.Rank())
		}
		if a.Stop(); a.Context().Err() == nil {
			t.Errorf("rank %d goes on", a.Rank())
		}
	})
}

// An error between rounds waits for the next one.
func TestAHeldErrorComesWithTheNextRound(t *testing.T) {
	each(t, 2, func(a *comm.Accord, _ context.CancelFunc) {
		if a.Rank() == 1 {
			if err := a.Hold(errBroken); err != nil || !a.Wants() {
				t.Errorf("held: %v", err)
			}
		}
		err := a.Lead(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if errors.Is(err, errBroken) != (a.Rank() == 1) || err == nil {
			t.Errorf("rank %d: %v", a.Rank(), err)
		}
	})
	if err := comm.NewAccord(t.Context(), comm.Local{}).Hold(errBroken); err != errBroken {
		t.Errorf("alone: %v", err)
	}
}

// Work that lasts longer than the engine waits is no lost rank; a lost rank ends the work of others.
func TestLongWorkIsNoLostRank(t *testing.T) {
	const patience = 2 * time.Second
	var all sync.WaitGroup
	for _, c := range mem.New(2, patience) {
		all.Go(func() {
			a := comm.NewAccord(t.Context(), c)
			if err := a.Lead(func(context.Context) error { time.Sleep(patience + patience/2); return nil }); err != nil {
				t.Errorf("rank %d: %v", a.Rank(), err)
			}
			if a.Rank() == 1 {
				a.Abort(1, "killed")
			}
			err := a.During(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
			if peer := (*comm.PeerError)(nil); !errors.As(err, &peer) || !comm.Lost(err) {
				t.Errorf("the other was lost: %v", err)
			}
		})
	}
	all.Wait()
}

// broken is an engine with a bug.
type broken struct{ comm.Comm }

func (broken) Gather([]float32) comm.Pending { panic("amiss") }

// A bug in the goroutine of the rounds is the caller's, whose work it ends.
func TestAPanicInARoundIsTheCallers(t *testing.T) {
	a := comm.NewAccord(t.Context(), broken{mem.New(2, time.Second)[0]})
	defer func() {
		if said, _ := recover().(string); !strings.HasPrefix(said, "amiss, in a round of the ranks\n") {
			t.Errorf("got %q", said)
		}
	}()
	t.Error(a.During(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }))
}

// of is what the root brings; others bring nothing.
func of(a *comm.Accord, root int, data []byte) []byte {
	if a.Rank() == root {
		return data
	}
	return nil
}

func TestBytesReachAll(t *testing.T) {
	long := bytes.Repeat([]byte{0, 255, 7}, 1000)
	for _, size := range []int{1, 2, 3} {
		each(t, size, func(a *comm.Accord, _ context.CancelFunc) {
			for root := range size {
				for _, want := range [][]byte{nil, {0}, long} {
					got, err := comm.Tell(a, of(a, root, want), root)
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("rank %d of %d from %d: %d bytes, %v", a.Rank(), size, root, len(got), err)
					}
				}
			}
			all, err := comm.Everyone(a, long[:a.Rank()*100])
			if err != nil || len(all) != size {
				t.Errorf("of %d ranks: %v", len(all), err)
			}
			for rank, got := range all {
				if !bytes.Equal(got, long[:rank*100]) {
					t.Errorf("rank %d has %d bytes of rank %d", a.Rank(), len(got), rank)
				}
			}
		})
	}
}
