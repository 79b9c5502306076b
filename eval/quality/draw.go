package quality

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"jem/feed"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/predict"
)

// describe fills in what is known beforehand.
func (j *judging) describe() {
	o := j.o.Samples
	j.result.Subject = j.p.Subject(0) // neither samples nor real images carry noise
	j.result.Text = "protocol " + j.o.Protocol
	j.result.Drawn = fmt.Sprintf("chains of the replay buffer, %d further SGLD steps", o.Steps)
	if o.Fresh {
		j.result.Drawn = fmt.Sprintf("fresh chains, %d SGLD steps", o.Steps)
	}
	if o.Class == predict.EachClass {
		j.result.Drawn += " of log p(x|y), the classes in turn"
	}
	if o.Guidance > 0 {
		j.result.Drawn += fmt.Sprintf(", guided with weight %g", o.Guidance)
	}
}

// open reads the real images: training and test images, without the latter where the data have none.
func (j *judging) open() error {
	splits, hash := []data.Split{data.Train, data.Test}, sha256.New()
	if j.o.Protocol == "dat" {
		splits = splits[:1]
	}
	var of []string
	for _, s := range splits {
		set, notes, err := j.p.Source().Read(s)
		j.result.Notes = append(j.result.Notes, notes...)
		if s == data.Test && errors.Is(err, fault.ErrMissing) {
			j.result.Notes = append(j.result.Notes, fmt.Sprintf("no test images (%v): samples are compared with the training images alone", err))
			continue
		}
		if err != nil {
			return err
		}
		if set.Name == data.Folder {
			set = set.Limit(j.o.Limit)
		} else {
			set = set.Head(j.o.Limit)
		}
		fmt.Fprintf(hash, "%d×%d×%d×%d|", set.Len(), set.C, set.H, set.W)
		hash.Write(set.Pixels)
		j.real, of = append(j.real, set), append(of, string(s))
		j.result.Real += set.Len()
	}
	j.result.Reference = j.p.Config.Data.Name + " " + strings.Join(of, " and ")
	j.result.RealHash = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// draw makes the samples.
func (j *judging) draw(ctx context.Context) error {
	c, total := j.p.Net().Config, j.o.Samples.N
	j.drawn = &predict.Samples{Channels: c.InC, Size: c.Size}
	seen := feed.NewDigest(nil)
	err := j.p.Draw(ctx, j.o.Samples, func(images, logits []float32) error {
		for i, v := range images {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return &fault.Error{Path: j.p.Checkpoint, Kind: fault.ErrBad,
					Reason: fmt.Sprintf("sample %d holds %v: its chain has diverged", len(j.drawn.Class)+i/(len(images)/(len(logits)/c.Classes)), v)}
			}
		}
		j.drawn.Add(images, logits, c.Classes)
		seen.Add(images, nil)
		j.watch.Tell("sampling", len(j.drawn.Class), total)
		return nil
	})
	j.result.DataHash, j.result.Samples = seen.Sum(), len(j.drawn.Class)
	return err
}
