package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// stalled is how long a client may take to take an event: then it counts as gone.
const stalled = 10 * time.Second

// events are server-sent events to one client.
type events struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// newEvents begins a stream that may last so long, whatever the server allows other requests.
func newEvents(w http.ResponseWriter, lasts time.Duration) *events {
	e := &events{w, http.NewResponseController(w)}
	// A server without deadlines has none to move; and one that can't move its own ends the stream, which is said there.
	_ = e.c.SetReadDeadline(time.Now().Add(lasts + stalled))
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies that gather what they pass on would hold pictures back
	w.WriteHeader(http.StatusOK)
	return e
}

// send sends an event with a JSON document. The error says that nobody listens any more.
func (e *events) send(name string, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	_ = e.c.SetWriteDeadline(time.Now().Add(stalled))
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, text); err != nil {
		return err
	}
	return e.c.Flush()
}
