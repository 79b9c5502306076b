package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"jem/serve/batch"
	"jem/serve/protocol"
)

// Refusal is why a request isn't answered, with the HTTP status that says whose fault that is.
type Refusal struct {
	Status   int
	Sentence string
}

// Error is the sentence.
func (r *Refusal) Error() string { return r.Sentence }

func refusef(status int, format string, args ...any) *Refusal {
	return &Refusal{status, fmt.Sprintf(format, args...)}
}

// why is an error as a refusal.
func why(err error) *Refusal {
	var refused *Refusal
	var wrong *protocol.Error
	var number *batch.NumberError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &wrong):
		return &Refusal{http.StatusBadRequest, wrong.Sentence}
	case errors.As(err, &number):
		return &Refusal{http.StatusUnprocessableEntity, number.Error()}
	case errors.As(err, &large):
		return refusef(http.StatusRequestEntityTooLarge, "the request has more than %d bytes: ask in several", large.Limit)
	case errors.Is(err, batch.ErrFull):
		return refusef(http.StatusTooManyRequests, "as many requests wait as may: ask again in a second")
	case errors.Is(err, batch.ErrTooLarge):
		return refusef(http.StatusRequestEntityTooLarge, "the request has more images than may ever wait: ask in several")
	case errors.Is(err, batch.ErrClosed):
		return refusef(http.StatusServiceUnavailable, "the service is shutting down")
	case errors.Is(err, batch.ErrBroken):
		return refusef(http.StatusServiceUnavailable, "the device has failed: the service's log says how")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return refusef(http.StatusServiceUnavailable, "the answer took too long, or nobody waited for it")
	}
	return refusef(http.StatusInternalServerError, "something went wrong: the service's log says what") // the error may name files of this host
}

// fail says why there is no answer.
func fail(w http.ResponseWriter, err error) {
	r := why(err)
	switch r.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	if told, ok := w.(*seen); ok {
		told.Fault(err)
	}
	write(w, r.Status, protocol.Failure{Error: r.Sentence})
}

// clipped is what a client wrote, for a message.
func clipped(text string) string { return fmt.Sprintf("%.64q", text) }
