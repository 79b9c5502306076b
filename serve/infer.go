package serve

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"jem/serve/batch"
	"jem/serve/protocol"
)

// infer answers an inference.
func (s *Server) infer(w http.ResponseWriter, r *http.Request) {
	if err := s.inferred(w, r); err != nil {
		fail(w, err)
	}
}

func (s *Server) inferred(w http.ResponseWriter, r *http.Request) error {
	if err := s.unready(); err != nil {
		return err
	}
	m := s.b.Model()
	if err := s.named(r, m); err != nil {
		return err
	}
	release, ok := s.admit(r)
	if !ok {
		return batch.ErrFull
	}
	defer release()
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(s.o.Patience)) // a server without deadlines has none to move
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	asked, err := protocol.Decode(r.Header.Get(protocol.LengthHeader), body, s.limits(m))
	if err != nil {
		return err
	}
	room, ok := s.reserve(unpacked(asked.Inputs, m))
	if !ok {
		return batch.ErrFull
	}
	defer room()
	images, n, err := s.images(r.Context(), asked.Inputs, m)
	if err != nil {
		return err
	}
	if told, ok := w.(*seen); ok {
		told.images = n
	}
	wanted, err := s.wanted(asked, m)
	if err != nil {
		return err
	}
	answers, err := s.b.Submit(r.Context(), images, wanted.asked())
	if err != nil {
		return err
	}
	out, err := wanted.of(answers)
	if err != nil {
		return err
	}
	m = answers[0].Model
	if err := s.named(r, m); err != nil { // another version came meanwhile
		return err
	}
	said := protocol.Response{Model: s.o.Name, Version: aboutOf(m).Version, ID: asked.ID, Outputs: out, Binary: wanted.binary}
	_ = deadline.SetWriteDeadline(time.Now().Add(s.o.Patience))
	reply(w, said)
	return nil
}

// reply writes an answer.
func reply(w http.ResponseWriter, r protocol.Response) {
	body, length := r.Encode()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if length > 0 {
		h.Set("Content-Type", "application/octet-stream")
		h.Set(protocol.LengthHeader, strconv.Itoa(length))
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // who has gone needs no answer
}

// body reads a request's body, unpacked if it is packed.
func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var from io.Reader = http.MaxBytesReader(w, r.Body, s.o.Body)
	var err error
	switch how := strings.ToLower(r.Header.Get("Content-Encoding")); how {
	case "", "identity":
	case "gzip":
		from, err = gzip.NewReader(from)
	case "deflate":
		from, err = zlib.NewReader(from)
	default:
		return nil, refusef(http.StatusUnsupportedMediaType, "the body is packed by %s: gzip and deflate are understood", clipped(how))
	}
	if err != nil {
		return nil, arrived(err)
	}
	room := min(max(r.ContentLength, 512), s.o.Body) + 1
	body := make([]byte, 0, room)
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, arrived(err)
		case int64(len(body)) > s.o.Body:
			return nil, &http.MaxBytesError{Limit: s.o.Body}
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
	}
}

// arrived says that a body did not come whole.
func arrived(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return err
	}
	return refusef(http.StatusBadRequest, "the request's body can't be read: %v", err)
}
