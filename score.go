package jem

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"

	"jem/internal/imagefile"
	"jem/model"
	"jem/predict"
)

// Score is what a model says of an image.
type Score struct {
	Class         int       // the most probable one's number
	Name          string    // its name
	Confidence    float64   // p(y|x) of it, in [0,1]
	Probabilities []float64 // (K) p(y|x), by class; their sum is 1
	Logits        []float32 // (K) f(x)
	LogPx         float64   // log p(x) + log Z = LogSumExp f(x); Z is unknown, and the same for all images of a model
	ApproxMass    float64   // −‖∂log p(x)/∂x‖₂, pixels in [−1,1]; 0 unless the model was opened with ApproxMass
}

// Score scores images. Each is cut to its central square and scaled to the network's size, transparent pixels laid on the
// ground of training, as jem score does with files; but of a file image.Decode doesn't turn the picture as its EXIF data say.
func (m *Model) Score(ctx context.Context, images ...image.Image) ([]Score, error) {
	if c, h, w := m.Shape(); c != 1 && c != 3 {
		return nil, fmt.Errorf("the network takes %d channels of %d×%d, which are no pictures: use ScoreTensor", c, h, w)
	}
	for i, img := range images {
		if img == nil || img.Bounds().Empty() {
			return nil, fmt.Errorf("image %d of %d has no pixels", i+1, len(images))
		}
	}
	return m.score(ctx, len(images), func(dst []float32, i int) { copy(dst, m.pixels(images[i])) })
}

// pixels are a picture as the network takes it, (C,H,W) in [−1,1].
func (m *Model) pixels(img image.Image) []float32 {
	o := m.p.Config.Data.Pictures()
	c, h, _ := m.Shape()
	o.Size, o.Grey = h, c == 1
	return o.Pixels(imagefile.Of(img))
}

// ScoreTensor scores images (N,C,H,W) of Shape. Pictures have values in [−1,1]; samples may lie a little outside.
func (m *Model) ScoreTensor(ctx context.Context, x []float32) ([]Score, error) {
	c, h, w := m.Shape()
	size := c * h * w
	if len(x)%size != 0 {
		return nil, fmt.Errorf("%d values are no whole number of images of %d×%d×%d", len(x), c, h, w)
	}
	if i := slices.IndexFunc(x, func(v float32) bool { return v-v != 0 }); i >= 0 { // NaN or ±Inf
		return nil, fmt.Errorf("image %d of %d has a value of %v: want numbers, of pictures in [−1,1]", i/size+1, len(x)/size, x[i])
	}
	return m.score(ctx, len(x)/size, func(dst []float32, i int) { copy(dst, x[i*size:(i+1)*size]) })
}

// score scores n images, which fill writes one by one.
func (m *Model) score(ctx context.Context, n int, fill func(dst []float32, i int)) (all []Score, err error) {
	c, h, w := m.Shape()
	size := c * h * w
	err = m.use(ctx, func() error {
		for lo := 0; lo < n; lo += m.answerer.Rows() {
			if err := ctx.Err(); err != nil {
				return err
			}
			rows := min(n-lo, m.answerer.Rows())
			for i := range rows {
				fill(m.answerer.Images[i*size:(i+1)*size], lo+i)
			}
			said, err := m.answerer.Answer(rows, m.asked)
			if err != nil {
				return err
			}
			if all, err = m.add(all, rows, said); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// add appends a batch's scores. One that is no number is an error.
func (m *Model) add(all []Score, rows int, said predict.Answers) ([]Score, error) {
	k := len(said.Logits) / rows
	for i := range rows {
		s := m.scoreOf(said.Logits[i*k : (i+1)*k])
		if said.Mass != nil {
			s.ApproxMass = float64(said.Mass[i])
		}
		if sum := s.LogPx + s.ApproxMass; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return nil, fmt.Errorf("%s: the score of image %d is no number: the weights are broken", m.p.Checkpoint, len(all)+1)
		}
		all = append(all, s)
	}
	return all, nil
}

// scoreOf is what logits (K) say.
func (m *Model) scoreOf(logits []float32) Score {
	s := Score{Class: model.Argmax(logits), Logits: slices.Clone(logits), LogPx: model.LogSumExp(logits)}
	for _, f := range logits {
		s.Probabilities = append(s.Probabilities, math.Exp(float64(f)-s.LogPx))
	}
	s.Name, s.Confidence = m.p.Classes[s.Class], s.Probabilities[s.Class]
	return s
}
