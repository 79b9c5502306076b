package serve

import (
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// Answered is an answer, for a log.
type Answered struct {
	Method, Path, Route string // Route as it is counted; Path as the client wrote it
	Status              int
	Bytes               int64 // of the answer's body
	Images              int   // that an inference was asked about
	Took                time.Duration
	From, Agent         string
	Fault               error // nil unless the status is 400 or more
	Panic               []byte
}

// seen is a ResponseWriter that remembers.
type seen struct {
	http.ResponseWriter
	status int
	bytes  int64
	images int
	fault  error
}

func (w *seen) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *seen) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Fault remembers why there is no answer.
func (w *seen) Fault(err error) { w.fault = err }

// Unwrap lets http.ResponseController find the connection.
func (w *seen) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// followed has each answer of a handler counted and told. A panic is an answer of 500, if there was none yet.
func (s *Server) followed(route string, f http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin, told := time.Now(), &seen{ResponseWriter: w}
		var trace []byte
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				trace = debug.Stack()
				if told.status == 0 {
					fail(told, refusef(http.StatusInternalServerError, "a bug of the service: its log has more"))
				}
			}
			if told.status == 0 {
				told.status = http.StatusOK
			}
			took := time.Since(begin)
			s.figures.answered(route, told.status, took)
			if s.o.Answered == nil {
				return
			}
			from, _, _ := net.SplitHostPort(r.RemoteAddr)
			s.o.Answered(Answered{
				Method: r.Method, Path: r.URL.Path, Route: route, Status: told.status, Bytes: told.bytes, Images: told.images, Took: took,
				From: from, Agent: r.UserAgent(), Fault: told.fault, Panic: trace,
			})
		}()
		f(told, r)
	})
}
