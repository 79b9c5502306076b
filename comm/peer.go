package comm

import (
	"fmt"
	"strings"
	"time"
)

// PeerError says that ranks of the job are gone, or that the engine failed: the run can't go on in this
// process, and goes on from its last checkpoint when it is started again.
type PeerError struct {
	Rank, Step int           // of this process
	Host       string        // of this process
	Op         string        // what it waited for: "sum", "gather", …
	Waited     time.Duration // until then
	Silent     []Peer        // ranks that have not been heard from; empty where that isn't known
	Busy       []Peer        // ranks that are there and have not come to the round
	Err        error         // what the engine said, where it failed
}

// Peer is another rank.
type Peer struct {
	Rank, Step int // Step is the last one known of it
	Host       string
}

func (p Peer) String() string {
	return fmt.Sprintf("rank %d (%s, after step %d)", p.Rank, p.Host, p.Step)
}

func (e *PeerError) Error() string {
	var why []string
	if e.Err != nil {
		why = append(why, e.Err.Error())
	}
	if len(e.Silent) > 0 {
		why = append(why, "not heard from: "+list(e.Silent))
	}
	if len(e.Busy) > 0 {
		why = append(why, "there, but not at this round: "+list(e.Busy))
	}
	if len(why) == 0 {
		why = append(why, "others did not come")
	}
	remedy := "start the same command again, and the run goes on from its last checkpoint"
	if e.Err == nil && len(e.Silent) == 0 && len(e.Busy) > 0 {
		remedy += ", with a longer --rank-timeout if their share of a step takes so much longer than this one's"
	}
	return fmt.Sprintf("rank %d on %s, after step %d, waited %s for the others (%s): %s; %s",
		e.Rank, e.Host, e.Step, e.Waited.Round(100*time.Millisecond), e.Op, strings.Join(why, "; "), remedy)
}

func (e *PeerError) Unwrap() error { return e.Err }

// maxPeers bounds a list of ranks in a message.
const maxPeers = 8

func list(peers []Peer) string {
	var names []string
	for _, p := range peers[:min(len(peers), maxPeers)] {
		names = append(names, p.String())
	}
	if more := len(peers) - maxPeers; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
