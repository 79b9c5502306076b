package page

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"

	"jem/internal/fault"
	"jem/internal/imagefile"
	pictures "jem/internal/picture"
	"jem/serve/batch"
)

// refusal is a request's fault, or the service's, with the status that says so.
type refusal struct {
	status   int
	sentence string
}

// Error is the sentence.
func (r *refusal) Error() string { return r.sentence }

// Given is a picture that somebody sent.
type Given struct {
	W, H   int       // as it came
	Pixels []float32 // (C,H,W) in [−1,1], as the network takes it
	Notes  []string  // what was done to it, each a phrase
}

// read reads a request's picture as jem score would read its file. The error is a *refusal.
func (p *Page) read(w http.ResponseWriter, r *http.Request, m *batch.Model) (Given, error) {
	if err := takesPictures(m); err != nil {
		return Given{}, err
	}
	select {
	case p.scores <- struct{}{}:
		defer func() { <-p.scores }()
	default:
		return Given{}, &refusal{http.StatusTooManyRequests, "many others ask at this moment: try again in a second"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, p.o.Body))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return Given{}, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the picture has more than %d MiB: save it smaller", p.o.Body>>20)}
	case err != nil:
		return Given{}, &refusal{http.StatusBadRequest, "the picture did not arrive: " + err.Error()}
	case len(body) == 0:
		return Given{}, &refusal{http.StatusBadRequest, "the request has no picture: its body is to be the file, " + imagefile.Kinds}
	}
	return p.decode(r.Context(), body, m)
}

// takesPictures refuses what a network is not for, as a *refusal.
func takesPictures(m *batch.Model) error {
	if c := m.Net().Config; c.InC != 1 && c.InC != 3 {
		return &refusal{http.StatusBadRequest, fmt.Sprintf("the model takes %d×%d×%d numbers, which are no picture", c.InC, c.Size, c.Size)}
	}
	return nil
}

// decode decodes a picture. The error is a *refusal.
func (p *Page) decode(ctx context.Context, body []byte, m *batch.Model) (Given, error) {
	g, err := p.o.Decoder.Decode(ctx, body, m)
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return g, &refusal{http.StatusBadRequest, "the picture: " + f.Reason}
	case ctx.Err() != nil:
		return g, &refusal{http.StatusBadRequest, "the client has gone"}
	case err != nil:
		return g, &refusal{http.StatusBadRequest, "the picture can't be read"}
	}
	return g, nil
}

// notes say what was done to a picture, each a phrase.
func notes(p *imagefile.Picture, g Given, size int, grey bool, ground imagefile.Ground) []string {
	all := []string{}
	add := func(holds bool, format string, args ...any) {
		if holds {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(g.W != g.H, "cut to its central square")
	add(g.W != size || g.H != size, "resized from %d×%d to %d×%d pixels", g.W, g.H, size, size)
	add(grey, "taken in grey")
	add(p.Turned, "turned as its EXIF data say")
	if ground == "" {
		ground = imagefile.White
	}
	add(p.Transparent && ground == imagefile.Stored, "transparent places: with the colours stored there")
	add(p.Transparent && ground != imagefile.Stored, "transparent places: laid on %s", ground)
	add(p.Several, "the first of several frames")
	add(p.Dim, "16-bit values that need no more than 12: it is dark")
	return all
}

// dataURL is an image (C,size,size) as a PNG within an address; of a network that takes no pictures the first plane.
func dataURL(image []float32, c, size int) string {
	if c != 3 {
		c, image = 1, image[:size*size]
	}
	drawn, err := pictures.Grid{Columns: 1, Scale: 1}.Draw(pictures.Batch{N: 1, C: c, H: size, W: size, Pix: image})
	if err != nil {
		panic(err) // of another length
	}
	var file bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&file, drawn); err != nil {
		panic(err) // a buffer takes everything
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes())
}
