package nccl

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/comm"
)

// address is one at which nobody listens.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

var given = id{0: 1, 64: 2, 127: 3}

// dial connects as soon as somebody listens.
func dial(t *testing.T, at string) net.Conn {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", at); err == nil {
			return c
		}
	}
	t.Fatal("nobody listens")
	return nil
}

// All ranks get the id, whoever comes first.
func TestTheIdReachesAll(t *testing.T) {
	const size = 5
	at, ctx := address(t), within(t, time.Minute)
	var all sync.WaitGroup
	for rank := 1; rank < size; rank++ {
		all.Go(func() {
			if got, err := take(ctx, at, "job", rank, size); err != nil || got != given {
				t.Errorf("rank %d: %v", rank, err)
			}
		})
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := give(ctx, at, "job", size, given); err != nil {
			t.Error(err)
		}
	}()
	all.Wait()
	<-over
}

func TestStrangersAreTurnedAway(t *testing.T) {
	const size = 2
	at, ctx := address(t), within(t, time.Minute)
	over := make(chan error, 1)
	go func() { over <- give(ctx, at, "job", size, given) }()
	for _, says := range []string{"", "GET / HTTP/1.1\r\nHost: a\r\n\r\n" + strings.Repeat("x", 100), greeting, strings.Repeat("\xff", 1<<16)} {
		c := dial(t, at)
		_, _ = c.Write([]byte(says))
		if says == "" || says == greeting { // who says nothing more is not waited for
			defer c.Close()
			continue
		}
		c.SetDeadline(time.Now().Add(time.Minute))
		if answer, _ := io.ReadAll(c); len(answer) > 0 {
			t.Errorf("%.10q got %d bytes", says, len(answer))
		}
		c.Close()
	}
	other := hello("job", 1, size)
	other[len(greeting)]++
	_, verdict, err := ask(ctx, at, other)
	if err != nil || verdict != otherVersion {
		t.Errorf("another version: verdict %d, %v", verdict, err)
	}
	var setup *comm.SetupError
	for _, c := range []struct {
		job        string
		rank, size int
		says       string
	}{{"another", 1, size, "rank 1 belongs to another job"}, {"job", 1, 3, "rank 1 has another number of ranks"}, {"job", 2, size, "another number of ranks"}, {"job", 0, size, "another number of ranks"}} {
		if got, err := take(ctx, at, c.job, c.rank, c.size); !errors.As(err, &setup) || !strings.Contains(err.Error(), c.says) || got != (id{}) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	select {
	case err := <-over:
		t.Fatalf("strangers ended it: %v", err)
	default:
	}
	if got, err := take(ctx, at, "job", 1, size); err != nil || got != given {
		t.Errorf("the rank after them: %v", err)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// Whoever does not come is named; a rank that got its answer and was lost may ask again.
func TestMissingRanksAreNamed(t *testing.T) {
	at, ctx := address(t), within(t, 3*time.Second)
	over := make(chan error, 1)
	go func() { over <- give(ctx, at, "job", 4, given) }()
	c := dial(t, at)
	_, _ = c.Write(hello("job", 3, 4))
	_, _ = io.ReadFull(c, make([]byte, answerBytes))
	c.Close() // without confirming
	if _, err := take(ctx, at, "job", 2, 4); err != nil {
		t.Error(err)
	}
	if _, err := take(ctx, at, "another", 1, 4); err == nil {
		t.Error("a rank of another job got the id")
	}
	if err := <-over; err == nil || !strings.Contains(err.Error(), "at "+at+" nothing was heard from 1, 3; turned away as not of this job: 1") {
		t.Errorf("missing: %v", err)
	}
	if _, err := take(within(t, time.Second), at, "job", 1, 4); err == nil || !strings.Contains(err.Error(), "did not answer at "+at) {
		t.Errorf("nobody there: %v", err)
	}
}
