package serve

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"jem/serve/batch"
	"jem/serve/page"
	"jem/serve/protocol"
	"jem/serve/verdict"
)

// About is what a Server wants to find beside each model of its Batcher.
type About struct {
	Version  string // of the model, as paths name it: of a run the training step
	Fitted   verdict.Fitted
	Examples []page.Example // that the page offers
}

// Options say how a service behaves. Zero values are usual ones.
type Options struct {
	Name    string // of the model in paths; empty: jem
	Program string // version of what serves

	Token string   // that all but health wants; empty: none
	Hosts []string // names by which it may be called, without port; none: any

	Body     int64         // bytes of a request; 0: 64 MiB
	Bodies   int64         // bytes of all requests at the same time, and of the images that they become; 0: eight times Body; at least what one request may take
	Images   int           // of a request; 0: 256
	Decode   int64         // bytes that a picture may take to decode; 0: 128 MiB
	Patience time.Duration // for a request's body to arrive and for its answer to leave; 0: 30 s

	Answered func(Answered) // told of each answer, from many goroutines; may be nil
	Page     page.Options
}

func (o *Options) fill() {
	or := func(v *int64, usual int64) {
		if *v == 0 {
			*v = usual
		}
	}
	if o.Name == "" {
		o.Name = "jem"
	}
	or(&o.Body, 64<<20)
	or(&o.Bodies, 8*o.Body)
	if o.Images == 0 {
		o.Images = 256
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
}

// Server answers over HTTP:
//
//	GET  /v2, /v2/health/live, /v2/health/ready
//	GET  /v2/models/NAME[/versions/V], and …/ready
//	POST /v2/models/NAME[/versions/V]/infer
//	GET  /metrics
//	     / and /api/…  the page, see package page
type Server struct {
	http.Handler
	o        Options
	b        *batch.Batcher
	figures  *figures
	page     *page.Page
	bodies   atomic.Int64  // bytes of requests that are being read
	decoder  *page.Decoder // of all pictures, the page's too
	draining atomic.Bool
}

// New serves a Batcher, whose models' About are an About. watch is to be the Batcher's Watch.
func New(o Options) *Server {
	o.fill()
	return &Server{o: o, figures: newFigures(), decoder: page.NewDecoder(o.Decode)}
}

// Watch counts a batch: for the options of the Batcher that Serve gets.
func (s *Server) Watch(b batch.Batch) { s.figures.batch(b) }

// Serve begins to answer with a Batcher, whose models' About is an About.
func (s *Server) Serve(b *batch.Batcher) {
	s.b = b
	s.figures.follow(b)
	c, h, w := b.Model().Shape()
	s.o.Bodies = max(s.o.Bodies, s.o.Body+4*int64(s.o.Images*c*h*w)) // or a large one would be sent away for ever
	if s.o.Page.Decoder == nil {
		s.o.Page.Decoder = s.decoder
	}
	s.page = page.New(b, func(m *batch.Model) page.About {
		a := aboutOf(m)
		return page.About{Name: s.o.Name, Version: a.Version, Fitted: a.Fitted, Examples: a.Examples}
	}, s.o.Page)
	mux := http.NewServeMux()
	handle := func(route string, f http.HandlerFunc) {
		mux.Handle(route, s.followed(route, f))
	}
	handle("GET /v2/health/live", s.live)
	handle("GET /v2/health/ready", s.ready)
	for _, model := range []string{"/v2/models/{name}", "/v2/models/{name}/versions/{version}"} {
		handle("GET "+model, s.model)
		handle("GET "+model+"/ready", s.modelReady)
		handle("POST "+model+"/infer", s.infer)
	}
	handle("GET /v2", s.about)
	handle("GET /v2/{$}", s.about)
	handle("GET /metrics", s.figures.ServeHTTP)
	handle("/v2/", func(w http.ResponseWriter, r *http.Request) { s.nothing(w, r, mux) })
	handle("/", s.page.ServeHTTP)
	s.Handler = s.guarded(mux)
}

// Drain has the service say that it isn't ready, and ends what lasts: those who choose among several ask others then.
func (s *Server) Drain() {
	s.draining.Store(true)
	s.page.Stop()
}

// Reloaded counts another network that came, or why it didn't.
func (s *Server) Reloaded(err error) { s.figures.reloaded(err) }

func aboutOf(m *batch.Model) About {
	a, _ := m.About.(About)
	return a
}

func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]bool{"live": true})
}

// unready is why nothing is answered; nil while it is.
func (s *Server) unready() error {
	if s.draining.Load() {
		return batch.ErrClosed
	}
	return s.b.Err()
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.unready(); err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, map[string]bool{"ready": true})
}

func (s *Server) modelReady(w http.ResponseWriter, r *http.Request) {
	if err := s.named(r, s.b.Model()); err != nil {
		fail(w, err)
		return
	}
	if err := s.unready(); err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, map[string]any{"name": s.o.Name, "ready": true})
}

func (s *Server) about(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, protocol.Server{Name: "jem", Version: s.o.Program, Extensions: []string{"binary_tensor_data"}})
}

func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	m := s.b.Model()
	if err := s.named(r, m); err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, s.describe(m))
}

// named holds the model of a path against the one that is served.
func (s *Server) named(r *http.Request, m *batch.Model) error {
	if name := r.PathValue("name"); name != s.o.Name {
		return refusef(http.StatusNotFound, "there is no model %s here: it is called %q", clipped(name), s.o.Name)
	}
	if v := r.PathValue("version"); v != "" && v != aboutOf(m).Version {
		return refusef(http.StatusNotFound, "there is no version %s of %s: it is %q now", clipped(v), s.o.Name, aboutOf(m).Version)
	}
	return nil
}

// nothing answers what no path of the protocol does.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); strings.HasPrefix(pattern, method+" ") {
			w.Header().Set("Allow", method)
			fail(w, refusef(http.StatusMethodNotAllowed, "%s is asked by %s", clipped(r.URL.Path), method))
			return
		}
	}
	fail(w, refusef(http.StatusNotFound, "there is no %s: the protocol's paths are /v2, /v2/health/live, /v2/health/ready, and /v2/models/%s with /ready and /infer",
		clipped(r.URL.Path), s.o.Name))
}

// write answers with a JSON document.
func write(w http.ResponseWriter, status int, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		panic(err) // documents are of this package
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // who has gone needs no answer
}
