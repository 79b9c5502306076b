package page

import (
	"fmt"
	"net/http"

	nets "jem/model"
	"jem/serve/verdict"
)

// About is what the page tells of a model besides what its network knows. What isn't known is left out, and the
// page says so.
type About struct {
	Name     string // of the model, as requests call it
	Version  string
	Fitted   verdict.Fitted
	Examples []Example // pictures to begin with
}

// Example is a picture that the page offers.
type Example struct {
	Name  string    // what it shows
	Image []float32 // (C,H,W) in [−1,1], as the network takes it
}

// modelDocument is what /api/model answers.
type modelDocument struct {
	Name        string         `json:"name"`
	Version     string         `json:"version"`
	Network     string         `json:"network"`
	Data        string         `json:"data"`
	Step        int            `json:"step"`
	Device      string         `json:"device"`
	Classes     []string       `json:"classes"`
	Channels    int            `json:"channels"`
	Size        int            `json:"size"`
	Temperature float64        `json:"temperature,omitempty"`
	Rule        *verdict.About `json:"rule"`
	Histogram   *histogram     `json:"histogram"`
	Chains      chainsDocument `json:"chains"`
	Examples    []picture      `json:"examples"`
	MaxBytes    int64          `json:"max_bytes"`
}

// chainsDocument says which chains may be asked for.
type chainsDocument struct {
	Steps     int     `json:"steps"` // of a chain from noise, usually
	MaxSteps  int     `json:"max_steps"`
	Chains    int     `json:"chains"`
	MaxChains int     `json:"max_chains"`
	Buffer    int     `json:"buffer"` // chains in the replay buffer
	Seconds   float64 `json:"seconds"`
}

type picture struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// model answers what is known of the model.
func (p *Page) model(w http.ResponseWriter, _ *http.Request) {
	m := p.batcher.Model()
	a, c := p.about(m), m.Net().Config
	d := modelDocument{
		Name: a.Name, Version: a.Version, Network: network(c), Data: m.Config.Data.Name, Step: m.Step, Device: m.Device().Name(), Classes: m.Classes,
		Channels: c.InC, Size: c.Size, Temperature: a.Fitted.Temperature, Histogram: histogramOf(a.Fitted.Reference), MaxBytes: p.o.Body,
		Chains:   chainsDocument{m.Sampling(true).Steps, maxSteps, min(usualChains, m.AtOnce()), min(maxChains, m.AtOnce()), m.BufferSize(), p.o.Stream.Seconds()},
		Examples: []picture{},
	}
	if r := a.Fitted.Rule; r != nil {
		about := r.About()
		d.Rule = &about
	}
	for _, e := range a.Examples {
		d.Examples = append(d.Examples, picture{e.Name, dataURL(e.Image, c.InC, c.Size)})
	}
	answer(w, http.StatusOK, d)
}

// network is its name for people.
func network(c nets.Config) string {
	if c.Network == nets.MLP {
		return fmt.Sprintf("perceptron of %d×%d units", c.Depth, c.Width)
	}
	return fmt.Sprintf("WRN-%d-%d", c.Depth, c.Width)
}
