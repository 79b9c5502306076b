package nccl

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"jem/comm"
)

// idBytes is the size of what NCCL's ranks find each other by (ncclUniqueId).
const idBytes = 128

type id [idBytes]byte

// Each rank but the first connects to the first one's address, says hello, and gets an answer, with the id if it is
// one of the job. It confirms that, since the first one goes on when all have it.
//
//	hello:   "jem-nccl" version(1) SHA-256 of the job(32) rank(4) size(4), big-endian
//	answer:  verdict(1) id(128)
//	confirm: 1(1)
const (
	greeting     = "jem-nccl"
	dealVersion  = 1
	helloBytes   = len(greeting) + 1 + sha256.Size + 4 + 4
	answerBytes  = 1 + idBytes
	strangerTime = 5 * time.Second // for a hello and its answer
	redialPause  = 200 * time.Millisecond
)

// Verdicts.
const (
	welcome = iota
	otherVersion
	otherJob
	otherSize
)

var verdicts = map[byte]string{otherVersion: "is of another version of jem", otherJob: "belongs to another job, or has another configuration", otherSize: "has another number of ranks"}

// hello is what a rank says.
func hello(job string, rank, size int) []byte {
	sum := sha256.Sum256([]byte(job))
	h := append([]byte(greeting), dealVersion)
	h = append(h, sum[:]...)
	h = binary.BigEndian.AppendUint32(h, uint32(rank))
	return binary.BigEndian.AppendUint32(h, uint32(size))
}

// judge reads a hello: which rank it is, and whether it is one of the job whose first rank says own.
func judge(got, own []byte) (rank int, verdict byte, known bool) {
	const job, who = len(greeting) + 1, len(greeting) + 1 + sha256.Size
	if string(got[:len(greeting)]) != greeting {
		return 0, 0, false
	}
	size := binary.BigEndian.Uint32(own[who+4:])
	n := binary.BigEndian.Uint32(got[who:])
	switch {
	case got[len(greeting)] != dealVersion:
		return 0, otherVersion, true
	case string(got[job:who]) != string(own[job:who]):
		return 0, otherJob, true
	case binary.BigEndian.Uint32(got[who+4:]) != size || n == 0 || n >= size:
		return 0, otherSize, true
	}
	return int(n), welcome, true
}

// maxCallers bounds the connections that are heard at once.
const maxCallers = 256

// give listens at the address and gives the id to all other ranks, until the context ends. Strangers and ranks of other
// jobs are turned away. Its error then is which ranks did not come.
func give(ctx context.Context, address, job string, size int, what id) error {
	l, err := listen(ctx, address)
	if err != nil {
		return err
	}
	own, served, callers := hello(job, 0, size), make(chan int), make(chan struct{}, maxCallers)
	ctx, done := context.WithCancel(ctx)
	var all sync.WaitGroup
	var others atomic.Int64
	defer all.Wait()
	defer done()
	context.AfterFunc(ctx, func() { l.Close() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if ctx.Err() != nil {
				return
			}
			if err != nil { // of one connection, or no descriptors are left
				time.Sleep(redialPause)
				continue
			}
			callers <- struct{}{}
			all.Go(func() {
				defer func() { c.Close(); <-callers }()
				rank, mine := serve(ctx, c, own, what)
				if !mine {
					others.Add(1)
				}
				if rank > 0 {
					select {
					case served <- rank:
					case <-ctx.Done():
					}
				}
			})
		}
	})
	have := make([]bool, size)
	for n := 1; n < size; {
		select {
		case rank := <-served:
			if !have[rank] {
				have[rank] = true
				n++
			}
		case <-ctx.Done():
			return missing(address, have, int(others.Load()))
		}
	}
	return nil
}

// missing says which ranks did not come to the address.
func missing(address string, have []bool, others int) error {
	var ranks []int
	for rank := 1; rank < len(have); rank++ {
		if !have[rank] {
			ranks = append(ranks, rank)
		}
	}
	text := fmt.Sprintf("at %s nothing was heard from %s", address, list(ranks))
	if others > 0 {
		text += fmt.Sprintf("; turned away as not of this job: %d", others)
	}
	return errors.New(text)
}

// listen listens at the address where it is this machine's own, else at its port.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
		_, port, _ := net.SplitHostPort(address)
		l, err = c.Listen(ctx, "tcp", ":"+port)
	}
	if err != nil {
		return nil, &comm.SetupError{Reason: fmt.Sprintf("rank 0 can't listen at %s, MASTER_ADDR and MASTER_PORT, for the other ranks: %v; choose another port, for which JEM_MASTER_PORT on all ranks comes before MASTER_PORT", address, err)}
	}
	return l, nil
}

// serve answers a caller, and returns the rank that has the id now, 0 if none, and whether it is one of the job.
func serve(ctx context.Context, c net.Conn, own []byte, what id) (rank int, mine bool) {
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c.SetDeadline(time.Now().Add(strangerTime))
	got := make([]byte, helloBytes)
	if _, err := io.ReadFull(c, got); err != nil {
		return 0, false
	}
	rank, verdict, known := judge(got, own)
	if !known {
		return 0, false
	}
	answer := make([]byte, answerBytes)
	if answer[0] = verdict; verdict == welcome {
		copy(answer[1:], what[:])
	}
	if _, err := c.Write(answer); err != nil || verdict != welcome {
		return 0, verdict == welcome
	}
	if _, err := io.ReadFull(c, answer[:1]); err != nil || answer[0] != 1 {
		return 0, true
	}
	return rank, true
}

// take gets the id from the first rank at the address, which may not be there yet.
func take(ctx context.Context, address, job string, rank, size int) (id, error) {
	for {
		what, verdict, err := ask(ctx, address, hello(job, rank, size))
		if err == nil && verdict == welcome {
			return what, nil
		}
		if err == nil {
			why := verdicts[verdict]
			if why == "" {
				why = "is of another version of jem"
			}
			return id{}, &comm.SetupError{Reason: fmt.Sprintf("the first rank, at %s, says that rank %d %s: start all ranks with the same program and command, and each job with a JEM_JOB_ID and a MASTER_PORT of its own", address, rank, why)}
		}
		select {
		case <-ctx.Done():
			return id{}, fmt.Errorf("rank 0 did not answer at %s: %w", address, err)
		case <-time.After(redialPause):
		}
	}
}

func ask(ctx context.Context, address string, hello []byte) (what id, verdict byte, err error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return what, 0, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c.SetDeadline(time.Now().Add(2 * strangerTime))
	answer := make([]byte, answerBytes)
	if _, err = c.Write(hello); err != nil {
		return what, 0, err
	}
	if _, err = io.ReadFull(c, answer); err != nil {
		return what, 0, err
	}
	copy(what[:], answer[1:])
	if answer[0] == welcome {
		_, err = c.Write([]byte{1})
	}
	return what, answer[0], err
}

// list names ranks.
func list(ranks []int) string {
	const most = 8
	var names []string
	for _, r := range ranks[:min(len(ranks), most)] {
		names = append(names, fmt.Sprint(r))
	}
	if len(ranks) > most {
		names = append(names, fmt.Sprintf("and %d more", len(ranks)-most))
	}
	return strings.Join(names, ", ")
}
