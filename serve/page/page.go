package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"jem/serve/batch"
)

// Options bound what the page's visitors may take. Zero values are usual ones.
type Options struct {
	Body    int64         // bytes of a picture; 0: 16 MiB
	Decoder *Decoder      // of pictures; nil: one of its own
	Scores  int           // pictures that are read at the same time; 0: 16
	Streams int           // chains' streams at the same time; 0: 4
	Stream  time.Duration // the longest that one lasts; 0: a minute
	Frame   time.Duration // the least between two pictures of a chain; 0: 50 ms
	Turn    time.Duration // of the device that a stream takes at once, about; 0: 30 ms
}

// fill puts usual values in the place of zeros.
func (o Options) fill() Options {
	or := func(v *time.Duration, usual time.Duration) {
		if *v == 0 {
			*v = usual
		}
	}
	or(&o.Stream, time.Minute)
	or(&o.Frame, 50*time.Millisecond)
	or(&o.Turn, 30*time.Millisecond)
	if o.Body == 0 {
		o.Body = 16 << 20
	}
	if o.Decoder == nil {
		o.Decoder = NewDecoder(0)
	}
	if o.Scores == 0 {
		o.Scores = 16
	}
	if o.Streams == 0 {
		o.Streams = 4
	}
	return o
}

// Page serves the page and what it asks for:
//
//	GET  /                the page, with its style, scripts and icon beside it
//	GET  /api/model       what is known of the model
//	POST /api/score       a picture's bytes; what the model says of it
//	GET  /api/draw        server-sent events: chains of SGLD from noise or from the replay buffer
//	POST /api/refine      a picture's bytes; server-sent events: a chain from it
type Page struct {
	http.Handler
	batcher  *batch.Batcher
	about    func(*batch.Model) About
	o        Options
	scores   chan struct{} // holds one for each picture that is read
	streams  chan struct{} // and for each stream
	starts   starts
	stopping chan struct{}
	stop     sync.Once
}

// New serves a Batcher. about tells what is known of each of its models; it is asked often.
func New(b *batch.Batcher, about func(*batch.Model) About, o Options) *Page {
	o = o.fill()
	p := &Page{batcher: b, about: about, o: o, stopping: make(chan struct{}),
		scores: make(chan struct{}, o.Scores), streams: make(chan struct{}, o.Streams)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/model", p.model)
	mux.HandleFunc("POST /api/score", p.score)
	mux.HandleFunc("GET /api/draw", p.draw)
	mux.HandleFunc("POST /api/refine", p.refine)
	for path, a := range assets() {
		mux.Handle("GET "+path, a)
	}
	p.Handler = guarded(mux)
	return p
}

// Stop ends all streams, and those that begin later, so that a server that shuts down needn't wait for them.
func (p *Page) Stop() { p.stop.Do(func() { close(p.stopping) }) }

// Streams is how many chains' streams there are now.
func (p *Page) Streams() int { return len(p.streams) }

// policy lets a page run its own scripts, speak to its own server, show pictures that it holds, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guarded sends browsers the rules of the page, and refuses what another site's page asks for.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if site := r.Header.Get("Sec-Fetch-Site"); strings.HasPrefix(r.URL.Path, "/api/") && (site == "cross-site" || site == "same-site") {
			refuse(w, http.StatusForbidden, "pages of other sites may not ask here")
			return
		}
		next.ServeHTTP(w, r)
	})
}

//go:embed assets
var embedded embed.FS

// asset is a file of the page, which browsers keep and ask after.
type asset struct {
	text      []byte
	kind, tag string
}

// kinds are the types of files by the ends of their names, whatever the machine's own list says.
var kinds = map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// assets are the page's files by their paths.
func assets() map[string]asset {
	all := map[string]asset{}
	_ = fs.WalkDir(embedded, "assets", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, _ := embedded.ReadFile(name) // it is there: the tree was just read
			sum := sha256.Sum256(text)
			all[strings.TrimPrefix(name, "assets")] = asset{text, kinds[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
		}
		return err
	})
	all["/{$}"] = all["/index.html"]
	delete(all, "/index.html")
	return all
}

// ServeHTTP implements http.Handler.
func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", a.tag)
	if r.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(a.text) // who has gone needs no answer
}

// answer writes a JSON document.
func answer(w http.ResponseWriter, status int, document any) {
	text, err := json.Marshal(document)
	if err != nil { // a number that is none
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer can't be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // who has gone needs no answer
}

// refuse says in one sentence why a request isn't answered.
func refuse(w http.ResponseWriter, status int, sentence string) {
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, map[string]string{"error": sentence})
}
