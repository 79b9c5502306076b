package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"jem/comm"
	"jem/comm/mpi"
	"jem/comm/nccl"
)

// soon is within what time of each other ranks come to the same fault: they ask for two seconds how far others are. Whoever
// leaves it to another one to say what is wrong stays so long.
const soon = 3 * time.Second

// linger is for how long a process stays that fails before it has met the other ranks, so that the launcher knows all
// of them before one is gone: they get in touch with it in the first quarter of a second.
const linger = time.Second

// end says what a command came to and returns the exit code: of several ranks that of the first one that
// failed, which alone says so on stderr. All of them come here after the same round; one that can't, since another
// is lost or it has failed alone, takes the whole job with it.
func (j *job) end(err error, stderr io.Writer) int {
	code := exitCode(err)
	if !j.several() {
		switch {
		case err == nil || readerGone(err):
		case j.speaks(err):
			fmt.Fprintln(stderr, message(err))
			if j.place.Size > 1 {
				time.Sleep(linger)
			}
		default:
			time.Sleep(soon) // Open MPI ends all ranks when the first one leaves, before which the one who speaks must have
		}
		return code
	}
	if err != nil && !comm.Lost(err) { // which abort says
		j.log.say(zap.ErrorLevel, message(err))
	}
	speaker, agreed, lost := j.outcome(err, code)
	if lost == nil && speaker == j.ranks.Rank() && !readerGone(err) {
		fmt.Fprintln(stderr, j.said(message(err)))
	}
	if lost == nil {
		lost = j.ranks.Close()
	}
	if lost != nil {
		j.abort(lost, stderr)
		return exitCode(lost) // of an engine whose Abort returns
	}
	j.log.close()
	return agreed
}

// speaks reports whether it is for this process to say what is wrong before the ranks can agree on that: for the first
// of all what is wrong with the command, for the first of each machine what is wrong there, for each whose engine broke
// down what it said, and for all that have only an address in common what each met on its way to that.
func (j *job) speaks(err error) bool {
	peer := (*comm.PeerError)(nil)
	return j.place.Rank == 0 || j.tried && (mpi.Built && j.place.LocalRank == 0 || nccl.Built && j.place.Address != "") ||
		errors.As(err, &peer) && peer.Err != nil
}

// abort ends all ranks, since this one can't go on with the others. Those who miss the same ranks leave it to the first of them to
// say so, and do it themselves if they are still there when it ought to have.
func (j *job) abort(err error, stderr io.Writer) {
	text := message(err)
	j.log.say(zap.ErrorLevel, text)
	if saidElsewhere(err) {
		time.Sleep(soon)
	}
	fmt.Fprintln(stderr, j.said(text))
	j.log.close()
	j.ended.Store(true)
	j.ranks.Abort(exitCode(err), text)
}

// saidElsewhere reports whether a lower rank is there that misses those whom this one misses.
func saidElsewhere(err error) bool {
	var peer *comm.PeerError
	if !errors.As(err, &peer) || peer.Err != nil {
		return false
	}
	missed := 0
	for _, p := range slices.Concat(peer.Silent, peer.Busy) {
		if p.Rank < peer.Rank {
			missed++
		}
	}
	return missed < peer.Rank
}

// said is a message of this rank.
func (j *job) said(text string) string {
	if j.ranks.Rank() == 0 || strings.HasPrefix(text, fmt.Sprintf("jem: rank %d on ", j.ranks.Rank())) {
		return text
	}
	return fmt.Sprintf("jem: rank %d on %s: %s", j.ranks.Rank(), host(), strings.TrimPrefix(text, "jem: "))
}

func host() string {
	name, err := os.Hostname()
	if err != nil {
		return "a machine without a name"
	}
	return name
}

// outcome agrees on the exit code and on who says why: −1 for nobody. lost is this rank's error, where the others
// can't be asked.
func (j *job) outcome(err error, code int) (speaker, agreed int, lost error) {
	if comm.Lost(err) {
		return -1, code, err
	}
	all, lost := comm.Everyone(j.ranks, []byte{blame(err), byte(code)})
	if lost != nil {
		return -1, exitDevice, lost
	}
	speaker, agreed = -1, exitDone
	for rank, most := 0, byte(0); rank < len(all); rank++ {
		if their := all[rank]; their[0] > most {
			speaker, most, agreed = rank, their[0], int(their[1])
		}
	}
	return speaker, agreed, nil
}

// blame is how much an error is this rank's own: 3 for one of which others have only heard, 2 where another rank failed, too,
// as when two of them fail one after the other, 1 where only others did, 0 for none.
func blame(err error) byte {
	elsewhere := (*comm.ElsewhereError)(nil)
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &elsewhere):
		return 3
	case others(err):
		return 1
	}
	return 2
}

// others reports whether an error says nothing but that other ranks failed.
func others(err error) bool {
	if joined, is := err.(interface{ Unwrap() []error }); is {
		return !slices.ContainsFunc(joined.Unwrap(), func(part error) bool { return !others(part) })
	}
	if _, is := err.(*comm.ElsewhereError); is {
		return true // the rank that it names has its own
	}
	within := errors.Unwrap(err)
	return within != nil && others(within)
}

// crashed ends the whole job after a bug in this rank: the others would wait for it.
func (j *job) crashed(why any) {
	if j.several() {
		j.log.say(zap.ErrorLevel, fmt.Sprint(why))
		j.ended.Store(true)
		j.ranks.Abort(exitBug, fmt.Sprintf("rank %d: internal error: %v", j.ranks.Rank(), why))
	}
}
