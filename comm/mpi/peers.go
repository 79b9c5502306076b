//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"errors"
	"time"

	"jem/comm"
)

// The kinds of a letter.
const (
	asks  = 1 // wants an answer
	tells = 2
)

// tag marks letters. Operations of all ranks don't mix with them.
const tag = 7

// letter is what a rank tells another of itself: kind, step, round, and whether it waits in it.
type letter struct {
	request uint64
	text    [4]int64
}

// peer is another rank as this one knows it.
type peer struct {
	host      string
	post      *letter // that will come next
	heard     bool    // since the last question
	step      int64
	round     int64
	waiting   bool
	notPosted bool
}

const letterBytes = 4 * 8

// expect has the library ready for the next letter of a rank.
func (e *engine) expect(rank int) {
	p := &e.peers[rank]
	if p.post == nil {
		p.post = &letter{}
	}
	err := e.lib.call("MPI_Irecv", pointer(&p.post.text[0]), letterBytes, e.lib.byte, uintptr(rank), tag, e.lib.world, pointer(&p.post.request))
	p.notPosted = err != nil
}

// write sends a letter to a rank. Whether it arrives is seen from the answer.
func (e *engine) write(rank int, kind int64) {
	waiting := int64(0)
	if e.within {
		waiting = 1
	}
	l := &letter{text: [4]int64{kind, e.steps.Load(), e.rounds, waiting}}
	if e.lib.call("MPI_Isend", pointer(&l.text[0]), letterBytes, e.lib.byte, uintptr(rank), tag, e.lib.world, pointer(&l.request)) == nil {
		e.letters = append(e.letters, l)
	}
}

// attend reads the letters that have come, and answers those that want it.
func (e *engine) attend() {
	if e.ended {
		return
	}
	for r := range e.peers {
		p := &e.peers[r]
		if r == e.rank || p.notPosted {
			continue
		}
		done, err := e.test(&p.post.request)
		switch {
		case err != nil:
			p.notPosted = true
		case done:
			kind := p.post.text[0]
			p.heard, p.step, p.round, p.waiting = true, p.post.text[1], p.post.text[2], p.post.text[3] != 0
			e.expect(r)
			if kind == asks {
				e.write(r, tells)
			}
		}
	}
	left := e.letters[:0]
	for _, l := range e.letters {
		if done, err := e.test(&l.request); !done && err == nil {
			left = append(left, l)
		}
	}
	clear(e.letters[len(left):])
	e.letters = left
}

// lost is the error of a round that doesn't end: asks all others how far they are, and waits for answers for two seconds.
func (e *engine) lost(op string, waited time.Duration, err error) *comm.PeerError {
	const times, pause = 400, 5 * time.Millisecond
	for r := range e.peers {
		e.peers[r].heard = false
		if r != e.rank {
			e.write(r, asks)
		}
	}
	for i := 0; i < times && e.silent() > 0; i++ {
		e.beats.Add(1)
		e.attend()
		select {
		case f := <-e.urgent:
			f()
		case <-time.After(pause):
		}
	}
	fault := e.fault(op, waited, err)
	for r, p := range e.peers {
		switch {
		case r == e.rank:
		case !p.heard:
			fault.Silent = append(fault.Silent, comm.Peer{Rank: r, Step: e.past, Host: p.host})
		case p.round < e.rounds:
			fault.Busy = append(fault.Busy, comm.Peer{Rank: r, Step: int(p.step), Host: p.host})
		}
	}
	if errors.Is(err, errPatience) {
		fault.Err = nil
		if len(fault.Silent)+len(fault.Busy) == 0 {
			fault.Err = errors.New("all ranks are there and in this round, which does not end: the network between them is the suspect")
		}
	}
	return fault
}

// silent is the number of ranks that have not answered.
func (e *engine) silent() (n int) {
	for r, p := range e.peers {
		if r != e.rank && !p.heard {
			n++
		}
	}
	return n
}

// withdraw takes back what is expected from others: MPI ends only without it.
func (e *engine) withdraw() {
	const times, pause = 200, 5 * time.Millisecond
	for r := range e.peers {
		if p := &e.peers[r]; r != e.rank && !p.notPosted {
			e.lib.call("MPI_Cancel", pointer(&p.post.request))
			for range times {
				if done, err := e.test(&p.post.request); done || err != nil {
					break
				}
				time.Sleep(pause)
			}
			p.notPosted = true
		}
	}
}
