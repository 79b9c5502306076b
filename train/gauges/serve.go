package gauges

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"jem/internal/prom"
)

// AddressError is an address that can't be listened on, or is none.
type AddressError struct {
	Address string
	Bad     bool // it is none
	Err     error
}

func (e *AddressError) Error() string {
	switch {
	case e.Bad:
		return fmt.Sprintf("%q: want HOST:PORT, as in 127.0.0.1:9464, or a port of this machine alone, :9464: %v", e.Address, e.Err)
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return e.Address + ": another process listens there: choose another port, or 0 for any that is free"
	}
	return fmt.Sprintf("%s: can't listen there: %v", e.Address, e.Err)
}

func (e *AddressError) Unwrap() error { return e.Err }

// Listen opens a port for a Board. Without a host it is one of this machine alone, 127.0.0.1; 0 is any free
// port. Errors: *AddressError.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		var syntax *strconv.NumError
		if errors.As(err, &syntax) {
			err = fmt.Errorf("port %q: %w", port, syntax.Err)
		}
		return nil, &AddressError{address, true, err}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		var of *net.OpError
		if errors.As(err, &of) {
			err = of.Err // which says no more than the address
		}
		return nil, &AddressError{net.JoinHostPort(host, port), false, err}
	}
	return l, nil
}

// answer serves the figures until Close.
func (b *Board) answer(l net.Listener) {
	server := &http.Server{
		Handler: b.pages(), ErrorLog: log.New(io.Discard, "", 0), MaxHeaderBytes: 16 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
	}
	b.done.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			b.note("the figures for Prometheus are no longer served: " + err.Error())
		}
	})
	b.serve = server.Close
}

// pages are /metrics, and a word on it at the root.
func (b *Board) pages() http.Handler {
	mux := http.NewServeMux()
	page := func(kind string, text func() []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(text()) // a reader who is gone misses it
		}
	}
	mux.HandleFunc("GET /metrics", page(prom.ContentType, b.text))
	mux.HandleFunc("GET /{$}", page("text/plain; charset=utf-8", func() []byte { return []byte("a run of jem: see /metrics\n") }))
	return mux
}
