package page

import (
	"bytes"
	"context"

	"jem/internal/imagefile"
	"jem/serve/batch"
)

// Decoder makes images of picture files, two at a time: before a picture is as small as a network takes it, it may need much more
// memory than its file.
type Decoder struct {
	most int64 // bytes of memory of each
	busy chan struct{}
}

// NewDecoder bounds the bytes of memory that a picture may take to decode; 0: 128 MiB.
func NewDecoder(most int64) *Decoder {
	if most == 0 {
		most = 128 << 20
	}
	return &Decoder{most, make(chan struct{}, 2)}
}

// Decode reads a file as jem score does: pixels (C,H,W) in [−1,1] as the network takes them, and what there is to say of the picture
// as it came. Errors: a *fault.Error, that of ctx.
func (d *Decoder) Decode(ctx context.Context, file []byte, m *batch.Model) (Given, error) {
	select {
	case d.busy <- struct{}{}:
		defer func() { <-d.busy }()
	case <-ctx.Done():
		return Given{}, ctx.Err()
	}
	read, err := imagefile.ReadWithin(bytes.NewReader(file), int64(len(file)), d.most)
	if err != nil {
		return Given{}, err
	}
	o, c := m.Config.Data.Pictures(), m.Net().Config
	o.Size, o.Grey = c.Size, c.InC == 1
	g := Given{Pixels: o.Pixels(read)}
	g.W, g.H = read.Size()
	g.Notes = notes(read, g, c.Size, c.InC == 1, o.Ground)
	return g, nil
}
