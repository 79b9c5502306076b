package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/internal/data"
	"jem/predict"
	"jem/predict/predicttest"
	"jem/predict/weights"
	"jem/serve/batch"
	"jem/serve/page"
	"jem/serve/verdict"
)

// open opens the network of predicttest, a WRN-10-1 for ten classes of 3×32×32 pixels, on a device of its own.
func open() (backend.Device, *batch.Model, error) {
	d, err := cpu.Open(cpu.Options{Threads: 1})
	if err != nil {
		return nil, nil, err
	}
	p, _, err := predict.OpenFile(d, predicttest.OfficialFile(), weights.Options{})
	return d, &batch.Model{Predictor: p}, err
}

// low is a rule by which everything is unusual that is less likely than its threshold.
type low struct{ threshold float64 }

// About implements verdict.Rule.
func (r low) About() verdict.About {
	return verdict.About{Score: "px", Threshold: r.threshold, FalseAlarms: 0.05, HeldOut: 40}
}

// Asked implements verdict.Rule.
func (r low) Asked() predict.Asked { return predict.Asked{} }

// Judge implements verdict.Rule.
func (r low) Judge(s *predict.Scores) (all []verdict.Verdict, err error) {
	for _, v := range s.LogPx {
		all = append(all, verdict.Verdict{Score: float64(v), P: 0.02, Unusual: float64(v) < r.threshold})
	}
	return all, nil
}

// spread are so many numbers between two.
func spread(n int, lo, hi float32) (all []float32) {
	for i := range n {
		all = append(all, lo+(hi-lo)*float32(i)/float32(n-1))
	}
	return all
}

// about is what is known of the network in tests.
func about(*batch.Model) page.About {
	return page.About{Name: "official", Version: "3", Fitted: verdict.Fitted{Temperature: 2, Rule: low{-1e9}, Reference: verdict.Reference{
		Own:     verdict.Set{Name: "held-out images", LogPx: spread(40, -5, 20)},
		Unknown: []verdict.Set{{Name: "noise", LogPx: spread(30, -30, 0)}, {Name: "outliers", LogPx: spread(30, -20, 10), Seen: true}},
	}}, Examples: []page.Example{{Name: "grey", Image: make([]float32, 3*32*32)}}}
}

// service is a page with its server and its Batcher.
type service struct {
	*page.Page
	*batch.Batcher
	url string
}

func serve(t *testing.T, b batch.Options, o page.Options) service {
	t.Helper()
	batcher, err := batch.Start(open, b)
	if err != nil {
		t.Fatal(err)
	}
	p := page.New(batcher, about, o)
	s := httptest.NewServer(p)
	t.Cleanup(func() {
		p.Stop()
		s.Close()
		if err := batcher.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return service{p, batcher, s.URL}
}

// picture is a PNG of so many pixels that shows a disc, and a file of it.
func picture(t *testing.T, w, h int) (file string, content []byte) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			if dx, dy := 2*x-w, 2*y-h; dx*dx+dy*dy < h*h/2 {
				img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / w), 120, uint8(255 * y / h), 255})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "disc.png")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, b.Bytes()
}

// ask sends a request, and reads its answer into a document.
func ask(t *testing.T, method, url string, body []byte, document any) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r, document)
}

func do(t *testing.T, r *http.Request, document any) *http.Response {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if document != nil {
		if err := json.Unmarshal(text, document); err != nil {
			t.Fatalf("%s %s: %v in %.200s", r.Method, r.URL, err, text)
		}
	}
	return response
}

type scored struct {
	Picture struct {
		Width, Height int
		Seen          string
		Notes         []string
	}
	Class         int
	Probabilities []float32
	LogPx         float32 `json:"log_px"`
	Mass          float32 `json:"approx_mass"`
	Below         float64
	Verdict       *verdict.Verdict
	Gradient      string
}

// TestScoresAreThoseOfTheCommand: a picture that is posted has the bits of log p(x) and mass that its file has where jem
// score reads it, transparent, cut and resized as it is.
func TestScoresAreThoseOfTheCommand(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{})
	file, content := picture(t, 90, 60)
	p := predicttest.Official(t)
	o := p.Config.Data.Pictures()
	o.Size = 32
	album, _, err := data.OpenAlbum([]string{file}, o)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Score(context.Background(), predict.Want{}, 1, album.Next, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got scored
	if r := ask(t, "POST", s.url+"/api/score", content, &got); r.StatusCode != http.StatusOK {
		t.Fatalf("status %d", r.StatusCode)
	}
	class, _ := want.Class(0)
	// The command's device has direct convolutions, the service's whichever are fastest: other roundings.
	near := func(a, b float32) bool { return a-b < 1e-3 && b-a < 1e-3 }
	if got.Class != class || !near(got.LogPx, want.LogPx[0]) || !near(got.Mass, want.ApproxMass[0]) {
		t.Errorf("got class %d, log p(x) %g, mass %g; want %d, %g, %g", got.Class, got.LogPx, got.Mass, class, want.LogPx[0], want.ApproxMass[0])
	}
	sum := float32(0)
	for _, v := range got.Probabilities {
		sum += v
	}
	if len(got.Probabilities) != 10 || !near(sum, 1) || got.Picture.Width != 90 || got.Picture.Height != 60 || got.Verdict == nil || got.Verdict.Unusual {
		t.Errorf("got %+v", got)
	}
	if text := strings.Join(got.Picture.Notes, "; "); text != "cut to its central square; resized from 90×60 to 32×32 pixels; transparent places: laid on white" {
		t.Errorf("notes %q", text)
	}
	if want := 4 * 32 * 32 * 4 / 3; len(got.Gradient) < want || len(got.Gradient) > want+3 {
		t.Errorf("a gradient of %d characters, want some %d", len(got.Gradient), want)
	}
}

// TestRefusals: whatever is wrong with a request, it hears so in one sentence, with the status that says whose fault it is.
func TestRefusals(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{Body: 40_000, Decoder: page.NewDecoder(100_000)})
	_, good := picture(t, 64, 64)
	_, wide := picture(t, 300, 200)
	for _, c := range []struct {
		method, path string
		body         []byte
		status       int
		says         string
	}{
		{"POST", "/api/score", nil, 400, "has no picture"},
		{"POST", "/api/score", []byte("<!DOCTYPE html>"), 400, "a web page"},
		{"POST", "/api/score", []byte("what is this"), 400, "no picture that can be read"},
		{"POST", "/api/score", good[:60], 400, "cut"},
		{"POST", "/api/score", make([]byte, 40_001), 413, "save it smaller"},
		{"POST", "/api/score", wide, 400, "300×200"},
		{"POST", "/api/refine?class=10", good, 400, "class=10: want any, or a number from 0 to 9"},
		{"POST", "/api/refine?class=-1", good, 400, "class=-1"},
		{"POST", "/api/refine?chains=2", good, 400, "one chain"},
		{"POST", "/api/refine", []byte("x"), 400, "no picture that can be read"},
		{"GET", "/api/draw?steps=0", nil, 400, "steps=0: want a number from 1 to 2000"},
		{"GET", "/api/draw?steps=many", nil, 400, "steps=many"},
		{"GET", "/api/draw?chains=13", nil, 400, "chains=13"},
		{"GET", "/api/draw?from=nowhere", nil, 400, "from=nowhere: want noise or buffer"},
		{"GET", "/api/draw?seed=-3", nil, 400, "seed=-3"},
	} {
		var got struct{ Error string }
		r := ask(t, c.method, s.url+c.path, c.body, &got)
		if r.StatusCode != c.status || !strings.Contains(got.Error, c.says) || strings.Contains(got.Error, "\n") {
			t.Errorf("%s %s: %d %q, want %d with %q", c.method, c.path, r.StatusCode, got.Error, c.status, c.says)
		}
	}
	for path, want := range map[string]int{"/api/score": 405, "/nowhere": 404, "/assets/index.html": 404, "/../page.go": 404, "/index.html": 404, "/page.css": 200} {
		if r := ask(t, "GET", s.url+path, nil, nil); r.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, r.StatusCode, want)
		}
	}
}

// TestOtherSitesMayNotAsk, and a page of theirs may not embed this one.
func TestOtherSitesMayNotAsk(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{})
	for site, want := range map[string]int{"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200, "": 200} {
		r, err := http.NewRequest("GET", s.url+"/api/model", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", site)
		if got := do(t, r, nil); got.StatusCode != want {
			t.Errorf("from %q: %d, want %d", site, got.StatusCode, want)
		}
	}
}

// TestNothingForeign: the page is allowed its own scripts and styles alone, has none within its text, and names no other
// place.
func TestNothingForeign(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{})
	r := ask(t, "GET", s.url+"/", nil, nil)
	rules := r.Header.Get("Content-Security-Policy")
	if !strings.Contains(rules, "default-src 'none'") || strings.Contains(rules, "unsafe") || !strings.Contains(rules, "frame-ancestors 'none'") {
		t.Errorf("rules %q", rules)
	}
	again, err := http.NewRequest("GET", s.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Header.Set("If-None-Match", r.Header.Get("ETag"))
	if got := do(t, again, nil); got.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d", got.StatusCode)
	}
	inline := regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	foreign := regexp.MustCompile(`https?:|\burl\(|@import|src="//`)
	files, err := filepath.Glob("assets/*")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("http://www.w3.org/2000/svg"), nil) // a name, not a place
		if found := foreign.Find(text); found != nil {
			t.Errorf("%s names %q", name, found)
		}
		if filepath.Ext(name) == ".html" && inline.Find(text) != nil {
			t.Errorf("%s has within its text %q", name, inline.Find(text))
		}
	}
}

// TestModel: what is known of the model is told; distributions are shares.
func TestModel(t *testing.T) {
	s := serve(t, batch.Options{}, page.Options{})
	var got struct {
		Name, Network string
		Classes       []string
		Channels      int
		Size          int
		Rule          verdict.About
		Histogram     struct {
			Low, Width float64
			Sets       []struct {
				Name   string
				Images int
				Seen   bool
				Shares []float64
			}
		}
		Examples []struct{ Name, URL string }
		Chains   struct{ Steps, Buffer int }
	}
	ask(t, "GET", s.url+"/api/model", nil, &got)
	if got.Name != "official" || got.Network != "WRN-10-1" || len(got.Classes) != 10 || got.Channels != 3 || got.Size != 32 || got.Rule.HeldOut != 40 || len(got.Examples) != 1 || got.Chains.Buffer == 0 {
		t.Errorf("got %+v", got)
	}
	h := got.Histogram
	if len(h.Sets) != 3 || !h.Sets[2].Seen || h.Low != -30 {
		t.Fatalf("histogram %+v", h)
	}
	for _, set := range h.Sets {
		sum := 0.0
		for _, v := range set.Shares {
			sum += v
		}
		if sum < 0.999 || sum > 1.001 || h.Low+h.Width*float64(len(set.Shares)) < 19.999 {
			t.Errorf("%s: shares sum to %g", set.Name, sum)
		}
	}
}

// TestManyAndBroken: when too many ask, and when the service ends, requests hear so and when to come again.
func TestManyAndBroken(t *testing.T) {
	s := serve(t, batch.Options{Queue: 1}, page.Options{})
	_, content := picture(t, 32, 32)
	hold, held := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.Do(context.Background(), func(*batch.Model) error { close(held); <-hold; return nil })
	}()
	<-held
	waits := make(chan int)
	go func() { waits <- ask(t, "POST", s.url+"/api/score", content, nil).StatusCode }()
	for s.Count().WaitingImages == 0 {
	}
	var got struct{ Error string }
	r := ask(t, "POST", s.url+"/api/score", content, &got)
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" || got.Error == "" {
		t.Errorf("with a full queue: %d %q", r.StatusCode, got.Error)
	}
	close(hold)
	if status := <-waits; status != http.StatusOK {
		t.Errorf("who waited got %d", status)
	}
	if err := s.Batcher.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for method, path := range map[string]string{"POST": "/api/score", "GET": "/api/draw"} {
		if r := ask(t, method, s.url+path, content, &got); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got.Error, "shutting down") {
			t.Errorf("%s after the end: %d %q", path, r.StatusCode, got.Error)
		}
	}
}
