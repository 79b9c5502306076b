package page

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"jem/backend/philox"
	"jem/predict"
	"jem/sampler"
	"jem/serve/batch"
)

// What may be asked of chains.
const (
	maxSteps    = 2000
	maxChains   = 12
	usualChains = 6
	refineSteps = 100
)

// ask is what somebody wants to see.
type ask struct {
	predict.SampleOptions
	from   string
	start  []float32
	m      *batch.Model
	picked []int // chains of the replay buffer that were chosen
}

// draw streams chains that begin with noise, or with chains of the replay buffer.
func (p *Page) draw(w http.ResponseWriter, r *http.Request) {
	m := p.batcher.Model()
	a, err := asked(r.URL.Query(), m, m.Sampling(true).Steps, usualChains)
	if err == nil {
		err = p.begin(&a)
	}
	if err != nil {
		fail(w, err)
		return
	}
	p.follow(w, r, a)
}

// refine streams a chain that begins with a visitor's picture.
func (p *Page) refine(w http.ResponseWriter, r *http.Request) {
	m := p.batcher.Model()
	a, err := asked(r.URL.Query(), m, refineSteps, 1)
	if err == nil && a.N != 1 {
		err = &refusal{http.StatusBadRequest, "chains=" + strconv.Itoa(a.N) + ": a picture is refined by one chain"}
	}
	if err != nil {
		fail(w, err)
		return
	}
	g, err := p.read(w, r, m)
	if err != nil {
		fail(w, err)
		return
	}
	a.start, a.from = g.Pixels, "picture"
	p.follow(w, r, a)
}

// asked reads a query. Errors are *refusal.
func asked(q url.Values, m *batch.Model, steps, chains int) (ask, error) {
	if err := takesPictures(m); err != nil {
		return ask{}, err
	}
	a := ask{SampleOptions: predict.SampleOptions{Class: predict.AnyClass, Fresh: true}, from: "noise", m: m}
	bad := func(name, want string) error {
		return &refusal{http.StatusBadRequest, fmt.Sprintf("%s=%.40s: want %s", name, q.Get(name), want)}
	}
	whole := func(name string, usual, least, most int) (int, error) {
		if !q.Has(name) {
			return usual, nil
		}
		n, err := strconv.Atoi(q.Get(name))
		if err != nil || n < least || n > most {
			return 0, bad(name, fmt.Sprintf("a number from %d to %d", least, most))
		}
		return n, nil
	}
	var err error
	if a.Steps, err = whole("steps", steps, 1, maxSteps); err != nil {
		return a, err
	}
	most := min(maxChains, m.AtOnce())
	if a.N, err = whole("chains", min(chains, most), 1, most); err != nil {
		return a, err
	}
	if c := q.Get("class"); c != "" && c != "any" {
		if a.Class, err = whole("class", 0, 0, m.Net().Config.Classes-1); err != nil {
			return a, bad("class", fmt.Sprintf("any, or a number from 0 to %d", m.Net().Config.Classes-1))
		}
	}
	a.Seed = rand.Uint64N(1 << 53) // JavaScript keeps whole numbers as large as this
	if q.Has("seed") {
		if a.Seed, err = strconv.ParseUint(q.Get("seed"), 10, 53); err != nil {
			return a, bad("seed", "a whole number below 2^53")
		}
	}
	switch from := q.Get("from"); {
	case from == "" || from == "noise":
	case from == "buffer" && m.BufferSize() > 0:
		a.from, a.Fresh = from, false
	case from == "buffer":
		return a, &refusal{http.StatusBadRequest, "from=buffer: the model was saved without a replay buffer; want noise"}
	default:
		return a, bad("from", "noise or buffer")
	}
	return a, nil
}

// errNoStart is what a client is told of training images that can't be read; the log has more.
var errNoStart = &refusal{http.StatusServiceUnavailable, "chains of this model begin near its training images, which aren't here"}

// begin chooses the chains' first images.
func (p *Page) begin(a *ask) error {
	c := a.m.Net().Config
	pixels := c.InC * c.Size * c.Size
	a.start = make([]float32, a.N*pixels)
	key := philox.New(a.Seed, 0, philox.Restart).At(0, 0)
	if !a.Fresh {
		buffer, first, slots := a.m.Buffer(), 0, a.m.BufferSize()
		if own := slots / c.Classes; a.Class >= 0 && own > 0 { // those that began as this class
			first, slots = a.Class*own, own
		}
		for i := range a.N {
			slot := first + key.IntN(uint64(i), slots)
			a.picked = append(a.picked, slot)
			copy(a.start[i*pixels:(i+1)*pixels], buffer[slot*pixels:])
		}
		return nil
	}
	start, err := p.starts.of(a.m)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoStart, err)
	}
	classes := make([]int32, a.N)
	for i := range classes {
		if classes[i] = int32(a.Class); a.Class == predict.AnyClass {
			classes[i] = int32(i % c.Classes)
		}
	}
	start.Fill(a.start, classes, key)
	return nil
}

// starts is where chains of a model begin. What it takes to know, reading all training images for some models, is
// done once.
type starts struct {
	mu    sync.Mutex
	m     *batch.Model
	start sampler.Start
	err   error
}

func (s *starts) of(m *batch.Model) (sampler.Start, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != m {
		s.m = m
		s.start, s.err = m.Source().Start()
	}
	return s.start, s.err
}
