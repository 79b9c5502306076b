package step

import (
	"sync"
	"testing"
	"time"

	"jem/backend"
	"jem/comm"
	"jem/comm/mem"
)

// card is a device whose tensors lie at addresses.
type card struct {
	backend.Device
	shared bool
	lies   []backend.Tensor // by address
	summed int              // numbers
}

func (c *card) Addressable() bool { return c.shared }

func (c *card) Address(t backend.Tensor) (stream, address uintptr, err error) {
	c.lies = append(c.lies, t)
	return 1, uintptr(len(c.lies) - 1), nil
}

// summer is the engine of a rank with a card, which adds up what lies there.
type summer struct {
	comm.Comm
	card *card
}

func (s summer) SumOn(stream, address uintptr, n int) comm.Pending {
	t := s.card.lies[address]
	if stream != 1 || n != backend.Len(t) {
		panic("not what lies there")
	}
	host := make([]float32, n)
	if err := s.card.Download(host, t); err != nil {
		return comm.Done{Err: err}
	}
	s.card.summed += n
	return late{s.Comm.Sum(host), func() { s.card.Upload(t, host) }}
}

type late struct {
	comm.Pending
	then func()
}

func (l late) Wait() error {
	err := l.Pending.Wait()
	l.then()
	return err
}

// onCards is together with ranks that have cards.
func onCards(t *testing.T, ranks, steps int, shared bool) (all []outcome, devices []*card) {
	t.Helper()
	cfg := rankRecipes()["jem"]
	all = make([]outcome, ranks)
	var done sync.WaitGroup
	for rank, c := range mem.New(ranks, time.Minute) {
		d := &card{Device: open(t, 1), shared: shared}
		devices = append(devices, d)
		done.Go(func() { all[rank] = taken(d, cfg, summer{c, d}, steps) })
	}
	done.Wait()
	for rank, o := range all {
		if o.err != nil {
			t.Fatalf("rank %d of %d: %v", rank, ranks, o.err)
		}
	}
	return all, devices
}

// Gradients that are summed where they lie are the same as those that go through the host, and all of them are.
func TestSumsOnCards(t *testing.T) {
	const steps = 3
	want, hosts := onCards(t, 2, steps, false)
	got, cards := onCards(t, 2, steps, true)
	replicas(t, append(want, got...))
	for rank := range cards {
		if n := steps * len(got[rank].params); cards[rank].summed != n || hosts[rank].summed != 0 {
			t.Errorf("rank %d summed %d numbers of %d on its card, and %d without being asked", rank, cards[rank].summed, n, hosts[rank].summed)
		}
	}
}
