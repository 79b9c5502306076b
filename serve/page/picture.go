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

// given is a picture that a visitor sent.
type given struct {
	W, H   int
	pixels []float32 // (C,H,W) in [−1,1], as the network takes it
	notes  []string
}

// read reads a request's picture as jem score would read its file. The error is a *refusal.
func (p *Page) read(w http.ResponseWriter, r *http.Request, m *batch.Model) (given, error) {
	if err := takesPictures(m); err != nil {
		return given{}, err
	}
	select {
	case p.scores <- struct{}{}:
		defer func() { <-p.scores }()
	default:
		return given{}, &refusal{http.StatusTooManyRequests, "many others ask at this moment: try again in a second"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, p.o.Body))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return given{}, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the picture has more than %d MiB: save it smaller", p.o.Body>>20)}
	case err != nil:
		return given{}, &refusal{http.StatusBadRequest, "the picture did not arrive: " + err.Error()}
	case len(body) == 0:
		return given{}, &refusal{http.StatusBadRequest, "the request has no picture: its body is to be the file, " + imagefile.Kinds}
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

// decode decodes a picture, of which there are two at a time.
func (p *Page) decode(ctx context.Context, body []byte, m *batch.Model) (given, error) {
	select {
	case p.decoding <- struct{}{}:
		defer func() { <-p.decoding }()
	case <-ctx.Done():
		return given{}, &refusal{http.StatusBadRequest, "the client has gone"}
	}
	read, err := imagefile.ReadWithin(bytes.NewReader(body), int64(len(body)), p.o.Decode)
	var f *fault.Error
	if errors.As(err, &f) {
		return given{}, &refusal{http.StatusBadRequest, "the picture: " + f.Reason}
	} else if err != nil {
		return given{}, &refusal{http.StatusBadRequest, "the picture can't be read"}
	}
	o, c := m.Config.Data.Pictures(), m.Net().Config
	o.Size, o.Grey = c.Size, c.InC == 1
	g := given{pixels: o.Pixels(read)}
	g.W, g.H = read.Size()
	g.notes = notes(read, g, c.Size, c.InC == 1, o.Ground)
	return g, nil
}

// notes say what was done to a picture, each a phrase.
func notes(p *imagefile.Picture, g given, size int, grey bool, ground imagefile.Ground) []string {
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
