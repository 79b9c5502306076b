package page

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"time"

	"jem/model"
	"jem/predict"
	"jem/serve/batch"
	"jem/serve/verdict"
)

// scoreDocument is what /api/score answers.
type scoreDocument struct {
	Version       string           `json:"version"` // of the model, see /api/model
	Picture       seen             `json:"picture"`
	Class         int              `json:"class"`
	Probabilities []float32        `json:"probabilities"` // p(y|x), by class
	LogPx         float32          `json:"log_px"`
	Mass          float32          `json:"approx_mass"`
	Below         *float64         `json:"below,omitempty"` // share of the held-out images with a log p(x) of at most as much
	Verdict       *verdict.Verdict `json:"verdict,omitempty"`
	Gradient      gradient         `json:"gradient"`
	Seconds       float64          `json:"seconds"` // from the decoded picture to the answer, waiting included
}

// seen is a picture as it came, and as the network sees it.
type seen struct {
	Width  int      `json:"width"`
	Height int      `json:"height"`
	Seen   string   `json:"seen"`
	Notes  []string `json:"notes"`
}

// gradient is ∂log p(x)/∂x by pixel, x in [−1,1], the sum over its channels: what making it brighter does.
type gradient string // (size,size) float32, little-endian, base64

// score answers what the model says of a picture.
func (p *Page) score(w http.ResponseWriter, r *http.Request) {
	m := p.batcher.Model()
	g, err := p.read(w, r, m)
	if err != nil {
		fail(w, err)
		return
	}
	fitted, begin := p.about(m).Fitted, time.Now()
	asked := predict.Asked{Mass: true, Gradient: true}
	if fitted.Rule != nil {
		asked = asked.Or(fitted.Rule.Asked())
	}
	answers, err := p.batcher.Submit(r.Context(), g.Pixels, asked)
	if err != nil {
		fail(w, err)
		return
	}
	said := answers[0]
	about := p.about(said.Model) // another one may have come meanwhile
	fitted = about.Fitted
	c := said.Model.Net().Config
	d := scoreDocument{
		Version: about.Version, Picture: seen{g.W, g.H, dataURL(g.Pixels, c.InC, c.Size), g.Notes},
		Class: model.Argmax(said.Logits), Probabilities: probabilities(said.Logits, fitted.Temperature),
		LogPx: said.LogPx, Mass: said.Mass, Gradient: gradientOf(said.Gradient, c.InC), Seconds: time.Since(begin).Seconds(),
	}
	if own := fitted.Reference.Own; len(own.LogPx) > 0 {
		below := own.Share(said.LogPx)
		d.Below = &below
	}
	judged, err := verdict.Of(fitted.Rule, answers)
	if err != nil {
		fail(w, err)
		return
	}
	if len(judged) > 0 {
		d.Verdict = &judged[0]
	}
	answer(w, http.StatusOK, d)
}

// probabilities are p(y|x) of logits, over a temperature where one was fitted.
func probabilities(logits []float32, temperature float64) []float32 {
	if temperature == 0 {
		temperature = 1
	}
	return verdict.Probabilities(make([]float32, len(logits)), logits, temperature)
}

// gradientOf sums over channels (C,H,W).
func gradientOf(g []float32, channels int) gradient {
	n := len(g) / channels
	sum := make([]float64, n)
	for i, v := range g {
		sum[i%n] += float64(v)
	}
	bytes := make([]byte, 0, 4*n)
	for _, v := range sum {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(float32(v)))
	}
	return gradient(base64.StdEncoding.EncodeToString(bytes))
}

// fail says why there is no answer, with its status.
func fail(w http.ResponseWriter, err error) {
	status, sentence := why(err)
	if told, ok := w.(interface{ Fault(error) }); ok { // for the service's log
		told.Fault(err)
	}
	refuse(w, status, sentence)
}

// why is the status and the sentence of an error.
func why(err error) (status int, sentence string) {
	var refused *refusal
	var none *batch.NumberError
	switch {
	case errors.As(err, &refused):
		return refused.status, refused.sentence
	case errors.Is(err, batch.ErrFull), errors.Is(err, batch.ErrTooLarge):
		return http.StatusTooManyRequests, "many others ask at this moment: try again in a second"
	case errors.Is(err, batch.ErrClosed):
		return http.StatusServiceUnavailable, "the service is shutting down"
	case errors.Is(err, batch.ErrBroken):
		return http.StatusServiceUnavailable, "the device has failed: whoever runs the service finds the reason in its log"
	case errors.As(err, &none):
		return http.StatusUnprocessableEntity, "what the network says of it is no finite number: its weights are broken"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "it took too long"
	}
	return http.StatusInternalServerError, "something went wrong: whoever runs the service finds the reason in its log" // the error may name files of this host
}
